"""How long what has failed waits before it is tried again."""

from datetime import datetime, timedelta
from typing import Final

_LONGEST_SECONDS: Final = 300
_LONGEST_NAME: Final = 255


def next_attempt(now: datetime, attempts: int) -> datetime:
    """Return when something is tried again that has failed so often: later each time."""
    return now + timedelta(seconds=min(_LONGEST_SECONDS, 2 ** min(attempts, 20)))


def named(error: Exception) -> str:
    """Return what kind of error it is; its text may quote what was stored."""
    return type(error).__name__[:_LONGEST_NAME]
