"""How much has been said and remembered."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from puppet_engine.api.dependencies import LifeFeed
from puppet_engine.api.stream import WINDOW
from puppet_engine.core.errors import FellBehindError
from puppet_engine.core.models import Event
from puppet_engine.dashboard.happenings import Kept, Published, read_happening


@dataclass(frozen=True)
class Totals:
    """How many of each there are."""

    posts: int = 0
    replies: int = 0
    memories: int = 0

    def with_event(self, event: Event) -> "Totals":
        """Return the totals after an event."""
        happening = read_happening(event)
        match happening.payload if happening else None:
            case Published() as said if said.in_reply_to is None or said.goes_on:
                return Totals(self.posts + 1, self.replies, self.memories)
            case Published():
                return Totals(self.posts, self.replies + 1, self.memories)
            case Kept():
                return Totals(self.posts, self.replies, self.memories + 1)
            case _:
                return self


class Tally:
    """Counts a life: what its feed knew when the counting began, and everything since."""

    def __init__(self, feed: LifeFeed) -> None:
        self._feed = feed
        self.totals = Totals()

    @contextlib.asynccontextmanager
    async def counting(self) -> AsyncGenerator[None]:
        """Count as long as the context lasts. What ended it early is raised at the end."""
        task = asyncio.create_task(self._count(), name="tally")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _count(self) -> None:
        while True:
            # Who fell behind has missed some: it counts anew what is still known.
            with contextlib.suppress(FellBehindError):
                await self._count_on()
                return

    async def _count_on(self) -> None:
        async with self._feed.watch() as live:
            known = await self._feed.recent(limit=WINDOW)
            self.totals = Totals()
            for event in known:
                self.totals = self.totals.with_event(event)
            seen = {event.id for event in known}
            async for event in live:
                if event.id not in seen:
                    self.totals = self.totals.with_event(event)
