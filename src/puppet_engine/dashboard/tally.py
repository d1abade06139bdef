"""How much has been said and remembered."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from puppet_engine.api.dependencies import LifeFeed
from puppet_engine.api.stream import Pace, follow
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
            case Published(in_reply_to=None):
                return Totals(self.posts + 1, self.replies, self.memories)
            case Published():
                return Totals(self.posts, self.replies + 1, self.memories)
            case Kept():
                return Totals(self.posts, self.replies, self.memories + 1)
            case _:
                return self


class Tally:
    """Counts a life: what its feed knew when the counting began, and everything since."""

    def __init__(self, feed: LifeFeed, *, pace: Pace) -> None:
        self._feed = feed
        self._pace = pace
        self.totals = Totals()

    @contextlib.asynccontextmanager
    async def counting(self) -> AsyncGenerator[None]:
        """Count as long as the context lasts."""
        task = asyncio.create_task(self._count(), name="tally")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _count(self) -> None:
        self.totals = Totals()
        async with contextlib.aclosing(follow(self._feed, after=0, pace=self._pace)) as batches:
            async for batch in batches:
                for event in batch.events:
                    self.totals = self.totals.with_event(event)
