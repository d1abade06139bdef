"""How long the outbox tries."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from puppet_engine.core.models import IntentDraft, IntentKind, Noun

TOO_LATE: Final[Mapping[IntentKind, timedelta]] = MappingProxyType(
    {
        IntentKind.POST: timedelta(hours=6),
        IntentKind.REPLY: timedelta(hours=6),
        IntentKind.LIKE: timedelta(hours=6),
        IntentKind.QUOTE: timedelta(hours=6),
        IntentKind.REPOST: timedelta(hours=6),
        IntentKind.TRADE: timedelta(minutes=15),  # decided on the prices of its moment
    }
)
"""After how long it is too late to begin something."""


class Patience(Noun):
    """How often something is tried, how long it waits in between, and when it is too late."""

    attempts: Annotated[int, Field(gt=0)] = 10
    """How often an intent may fail before it is refused."""
    first_wait: timedelta = timedelta(seconds=20)
    """The longest wait after the first failure; it doubles with each further one."""
    longest_wait: timedelta = timedelta(minutes=15)
    missing_wait: timedelta = timedelta(minutes=15)
    """How often an account that is not there is looked for again."""
    too_late: Mapping[IntentKind, timedelta] = Field(default_factory=lambda: dict(TOO_LATE))

    def dated(self, draft: IntentDraft, now: datetime) -> IntentDraft:
        """Return the draft with the moment at which it is too late; its own, if it has one."""
        if draft.expires_at is not None:
            return draft
        return draft.model_copy(update={"expires_at": now + self.too_late[draft.kind]})
