"""What people want to know of a life: what was said, traded and remembered, and what failed."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from puppet_engine.core.models import Event
from puppet_engine.events.base import Engine

NOTEWORTHY: Final = frozenset({"agent.failed", "memory.kept", "post.published", "trade.executed"})
"""The types of events that are told; the rest is routine."""


class Chronicle:
    """The noteworthy events of an engine, past and live."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def recent(self, *, limit: int) -> list[Event]:
        """Return the last noteworthy events, oldest first, `limit` at the most."""
        return await self._engine.recent(limit=limit, types=NOTEWORTHY)

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncGenerator[AsyncIterator[Event]]:
        """Open a live view of every noteworthy event from now on."""
        async with self._engine.watch() as events:
            yield _noteworthy(events)


async def _noteworthy(events: AsyncIterator[Event]) -> AsyncGenerator[Event]:
    async for event in events:
        if event.type in NOTEWORTHY:
            yield event
