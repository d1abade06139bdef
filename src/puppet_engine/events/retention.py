"""Lets go of what was over long ago, little by little."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from puppet_engine.core.clock import Clock

BATCH: Final = 1_000
"""How many rows of a kind are deleted in one transaction."""

PAUSE: Final = timedelta(hours=1)
"""How long nothing is deleted once there was nothing left to delete."""


class Purgeable(Protocol):
    """A store of what happens, and is over one day."""

    async def purge(self, before: datetime, /, *, limit: int) -> int:
        """Delete what was over before a moment, `limit` at the most; return how many."""


@dataclass(frozen=True)
class Kept:
    """A store, and for how long it keeps what is over; for ever when None."""

    store: Purgeable
    span: timedelta | None


class Retention:
    """Deletes what has been over for longer than each store keeps it.

    It has no timer of its own: while nothing happens, nothing new is over.
    """

    def __init__(self, kept: Iterable[Kept], *, clock: Clock) -> None:
        self._stores = [(one.store, one.span) for one in kept if one.span is not None]
        self._clock = clock
        self._next: dict[int, datetime] = {}

    async def keep(self) -> None:
        """Delete one batch of each store, if it is time to."""
        now = self._clock.now()
        for place, (store, span) in enumerate(self._stores):
            if now >= self._next.get(place, now):
                deleted = await store.purge(now - span, limit=BATCH)
                self._next[place] = now if deleted == BATCH else now + PAUSE
