"""Identifiers as X makes them: a moment in milliseconds, and a count within it."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(2010, 11, 4, 1, 42, 54, 657_000, tzinfo=UTC)
_COUNT_BITS: Final = 22


class Snowflakes:
    """Makes ids that only grow, whatever the clock does; the same calls give the same ids."""

    def __init__(self) -> None:
        self._last = 0

    def make(self, moment: datetime) -> int:
        """Return an id of `moment`, greater than every id before it."""
        milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
        self._last = max(self._last + 1, milliseconds << _COUNT_BITS)
        return self._last

    def skip_past(self, used: int) -> None:
        """Make no id up to `used` any more."""
        self._last = max(self._last, used)
