"""Memories in the engine's database."""

from datetime import datetime
from typing import Final

from typing_extensions import override

from puppet_engine.core.circumstances import folded
from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.facts import Fact
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Memory, StoredMemory
from puppet_engine.core.settings import Settings
from puppet_engine.memory.base import MemoryStore
from puppet_engine.memory.cues import spans
from puppet_engine.memory.forgetting import LettingGo, letting_go
from puppet_engine.memory.knowing import certainty
from puppet_engine.memory.ranking import USUAL, Weights, rank
from puppet_engine.memory.recollection import Recollection
from puppet_engine.memory.words import searched
from puppet_engine.storage import facts, forgetting, links, memories
from puppet_engine.storage.gateway import Storage

DEPTH: Final = 50
"""How many memories that match are weighed at least."""

WITH_TALK: Final = 30
"""Of how many of these the turns around them are weighed, too."""

IN_SPAN: Final = 30
"""How many memories of a time that the question names are weighed at least."""

SPANS: Final = 8
"""Of how many times that the question names memories are looked for."""

LATELY: Final = 10
"""How many of the newest memories are weighed, whether they match or not."""


class SQLiteStore(MemoryStore):
    """Keeps memories through Timber: on SQLite, or wherever `database_url` points.

    Without a `storage` the store opens one of its own; two on `:memory:` never share rows.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        storage: Storage | None = None,
        clock: Clock | None = None,
        weights: Weights = USUAL,
    ) -> None:
        self._clock = clock or SystemClock()
        self._owns_storage = storage is None
        self._storage = storage or Storage(
            settings.database_url,
            clock=self._clock,
            ids=random_id,
            embedder=settings.embedder,
            follows_texts=True,
        )
        self._weights = weights
        self._room = settings.memory_room

    @override
    async def initialize(self) -> None:
        await self._storage.open()

    @override
    async def close(self) -> None:
        if self._owns_storage:
            await self._storage.close()

    @override
    async def add_memory(self, agent_id: str, memory: Memory) -> str:
        return await memories.keep(self._storage, agent_id, memory)

    @override
    async def get_memories(self, agent_id: str, *, limit: int = 50) -> list[StoredMemory]:
        return await memories.newest(self._storage, agent_id, limit=limit)

    @override
    async def search_memories(
        self, agent_id: str, query: str, *, limit: int = 10
    ) -> list[StoredMemory]:
        if limit < 1:
            return []
        chosen, _ = await self._recall(agent_id, query, limit)
        return chosen

    @override
    async def recollect(
        self, agent_id: str, query: str, *, question: str | None = None, limit: int = 10
    ) -> Recollection:
        chosen, found = await self._recall(agent_id, query, max(limit, 1))
        ids = [one.id for one in chosen]
        return Recollection(
            memories=tuple(chosen),
            certainty=certainty(found, question or query, now=self._clock.now()),
            disagreements=tuple(await links.disagreements(self._storage, agent_id, ids)),
        )

    async def _recall(
        self, agent_id: str, query: str, limit: int
    ) -> tuple[list[StoredMemory], list[memories.Found]]:
        """Return what comes to mind, and what it was chosen among."""
        now = self._clock.now()
        sought = memories.Sought(
            query=searched(query),
            depth=max(DEPTH, limit),
            with_talk=max(WITH_TALK, limit),
            newest=max(LATELY, limit),
            spans=spans(query, now)[:SPANS],
            in_span=max(IN_SPAN, limit),
        )
        weighed: list[memories.Found] = []

        def choose(found: list[memories.Found]) -> list[int]:
            weighed[:] = found
            return rank(weighed, query, now=now, limit=limit, weights=self._weights)

        chosen = await memories.recalled(self._storage, agent_id, sought, choose)
        return chosen, weighed

    async def facts(
        self,
        agent_id: str,
        subject: str | None = None,
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> list[Fact]:
        """Return what an agent knows of somebody, or of all: what was so as of a moment.

        As far as was known at a moment; both are now when left out. `subject` is a handle or a
        name. What was superseded is still told of its time.
        """
        return await facts.facts(
            self._storage,
            agent_id,
            None if subject is None else folded(subject),
            as_of=as_of,
            known_at=known_at,
        )

    @override
    async def delete_memory(self, agent_id: str, memory_id: str) -> None:
        await memories.forget(self._storage, agent_id, memory_id)

    @override
    async def letting_go(self, agent_id: str) -> LettingGo:
        if await forgetting.count(self._storage, agent_id) <= self._room:
            return LettingGo()
        known = await forgetting.remembrances(self._storage, agent_id)
        return letting_go(known, room=self._room, now=self._clock.now())
