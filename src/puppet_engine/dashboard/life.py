"""The life as the page shows it: at one moment, and frame by frame."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable

from fastapi.sse import format_sse_event

from puppet_engine.api.dependencies import AgentDirectory, LifeFeed, ReadableClock
from puppet_engine.api.stream import RETRY_MILLISECONDS, WINDOW, Batch, Pace, follow
from puppet_engine.core.decisions import StoredDecision
from puppet_engine.core.models import Event
from puppet_engine.dashboard.faces import Face
from puppet_engine.dashboard.happenings import read_happening
from puppet_engine.dashboard.pages import CastMember, Frame, Pages, Snapshot
from puppet_engine.dashboard.tally import Tally
from puppet_engine.dashboard.timeline import (
    Entry,
    Recollection,
    entry_of,
    recollection_of,
    thread,
)

MEMORIES = 40
"""How many memories the page shows."""

CastKey = frozenset[tuple[str, bool]]


class Life:
    """Draws the page from the agents, the feed, the clock and the tally."""

    def __init__(
        self,
        *,
        agents: AgentDirectory,
        feed: LifeFeed,
        clock: ReadableClock,
        tally: Tally,
        pace: Pace,
        explains: bool = False,
    ) -> None:
        """Link each post to why it was made, if somebody `explains` that."""
        self._agents = agents
        self._feed = feed
        self._clock = clock
        self._tally = tally
        self._pace = pace
        self._pages = Pages(explains=explains)

    async def page(self) -> str:
        """Return the page as of now."""
        known = await self._feed.recent(limit=WINDOW)
        entries, recollections = self._read(known)
        snapshot = Snapshot(
            cast=await self._cast(),
            conversations=thread(entries),
            recollections=recollections[::-1][:MEMORIES],
            totals=self._tally.totals,
            clock=self._clock,
            after=known[-1].sequence if known else 0,
        )
        return self._pages.page(snapshot)

    def explained(self, decision: StoredDecision) -> str:
        """Return the page that tells why an agent did something."""
        whose = self._faces().get(decision.agent_id)
        face = whose or Face(name=decision.agent_id, handle=decision.agent_id)
        return self._pages.why(decision, face)

    async def frames(self, *, after: int) -> AsyncGenerator[bytes]:
        """Yield what changes after an event, as server-sent events."""
        yield format_sse_event(retry=RETRY_MILLISECONDS)
        cast = None  # the page may be older than a change of the cast: begin with all of it
        stream = follow(self._feed, after=after, pace=self._pace)
        async with contextlib.aclosing(stream) as batches:
            async for batch in batches:
                if batch.has_gap:
                    yield format_sse_event(event="gap", data_str="reload")
                    return
                before, cast = cast, self._cast_key()
                yield await self._frame(batch, has_new_cast=cast != before)

    async def _frame(self, batch: Batch, *, has_new_cast: bool) -> bytes:
        entries, recollections = self._read(batch.events)
        frame = Frame(
            entries=entries,
            recollections=recollections,
            totals=self._tally.totals,
            clock=self._clock,
            cast=await self._cast() if has_new_cast else None,
        )
        last = batch.events[-1].sequence if batch.events else batch.position
        html = self._pages.frame(frame)
        return format_sse_event(data_str=html, id=None if last is None else str(last))

    def _read(self, events: Iterable[Event]) -> tuple[list[Entry], list[Recollection]]:
        faces = self._faces()
        happenings = [each for event in events if (each := read_happening(event)) is not None]
        entries = (entry_of(each, faces=faces) for each in happenings)
        recollections = (recollection_of(each, faces=faces) for each in happenings)
        return [each for each in entries if each], [each for each in recollections if each]

    def _faces(self) -> dict[str, Face]:
        faces: dict[str, Face] = {}
        for agent in self._agents.agents.values():
            faces[agent.id] = faces[agent.handle] = Face(name=agent.name, handle=agent.handle)
        return faces

    def _cast_key(self) -> CastKey:
        return frozenset((agent.id, agent.is_active) for agent in self._agents.agents.values())

    async def _cast(self) -> list[CastMember]:
        agents = sorted(self._agents.agents.values(), key=lambda agent: agent.name.casefold())
        last = await asyncio.gather(*(self._last_memory(agent.id) for agent in agents))
        return [
            CastMember.of(agent, last_memory=memory)
            for agent, memory in zip(agents, last, strict=True)
        ]

    async def _last_memory(self, agent_id: str) -> str:
        newest = await self._agents.get_memories(agent_id, limit=1)
        return next((memory.content for memory in newest), "")
