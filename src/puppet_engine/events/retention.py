"""Lets go of what was over long ago, little by little."""

from datetime import datetime, timedelta
from typing import Final

from puppet_engine.core.clock import Clock
from puppet_engine.storage.base import EventStore

BATCH: Final = 1_000
"""How many events are deleted in one transaction."""

PAUSE: Final = timedelta(hours=1)
"""How long nothing is deleted once there was nothing left to delete."""


class Retention:
    """Deletes events that have been over for longer than a `span`; none, without one.

    It has no timer of its own: while nothing happens, nothing new is over.
    """

    def __init__(self, store: EventStore, *, clock: Clock, span: timedelta | None) -> None:
        self._store = store
        self._clock = clock
        self._span = span
        self._next: datetime | None = None

    async def keep(self) -> None:
        """Delete one batch, if it is time to."""
        now = self._clock.now()
        if self._span is None or (self._next is not None and now < self._next):
            return
        deleted = await self._store.purge(now - self._span, limit=BATCH)
        self._next = now if deleted == BATCH else now + PAUSE
