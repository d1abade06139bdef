"""A small cast whose life a test writes: agents, their memories, a feed."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from typing_extensions import override

from puppet_engine.core.errors import AgentExistsError, AgentNotFoundError, MemoryNotFoundError
from puppet_engine.core.ids import AgentId, EventId, MemoryId
from puppet_engine.core.models import AgentConfig, Event, Memory, MemoryType, StoredMemory
from puppet_engine.memory.base import MemoryStore
from puppet_engine.memory.recollection import Recollection

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


class FakeMemories(MemoryStore):
    """Keeps memories in a list; what comes to mind is what contains the query."""

    def __init__(self) -> None:
        self.kept: list[StoredMemory] = []

    @override
    async def initialize(self) -> None: ...

    @override
    async def close(self) -> None: ...

    @override
    async def add_memory(self, agent_id: str, memory: Memory) -> str:
        memory_id = MemoryId(f"memory-{len(self.kept) + 1}")
        stored = StoredMemory(
            **memory.model_dump(), id=memory_id, agent_id=AgentId(agent_id), created_at=NOON
        )
        self.kept.insert(0, stored)
        return memory_id

    @override
    async def get_memories(self, agent_id: str, *, limit: int = 50) -> list[StoredMemory]:
        return [memory for memory in self.kept if memory.agent_id == agent_id][:limit]

    @override
    async def search_memories(
        self, agent_id: str, query: str, *, limit: int = 10
    ) -> list[StoredMemory]:
        own = await self.get_memories(agent_id)
        return [memory for memory in own if query in memory.content][:limit]

    @override
    async def recollect(
        self, agent_id: str, query: str, *, question: str | None = None, limit: int = 10
    ) -> Recollection:
        """Return what is found; it is sure of that where there is anything."""
        found = await self.search_memories(agent_id, query, limit=limit)
        return Recollection(memories=tuple(found), certainty=float(bool(found)))

    @override
    async def delete_memory(self, agent_id: str, memory_id: str) -> None:
        found = [memory for memory in self.kept if memory.id == memory_id]
        if not found:
            raise MemoryNotFoundError(agent_id, memory_id)
        self.kept.remove(found[0])


@dataclass
class FakeAgent:
    """Is there."""

    config: AgentConfig
    is_active: bool = True

    @property
    def id(self) -> str:
        return self.config.id

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def handle(self) -> str:
        return self.config.handle or self.config.id


@dataclass
class FakeAgents:
    """Keeps agents in a dictionary; `failure` is raised instead of a post, when there is one."""

    memories: FakeMemories = field(default_factory=FakeMemories)
    agents: dict[str, FakeAgent] = field(default_factory=dict)
    contexts: list[dict[str, Any] | None] = field(default_factory=list)
    failure: Exception | None = None

    async def find_agent(self, agent_id: str) -> FakeAgent:
        return self.get_agent(agent_id)

    def get_agent(self, agent_id: str) -> FakeAgent:
        if agent_id not in self.agents:
            raise AgentNotFoundError(agent_id, self.agents)
        return self.agents[agent_id]

    async def create_agent(self, config: AgentConfig) -> str:
        if config.id in self.agents:
            raise AgentExistsError(config.id)
        self.agents[config.id] = FakeAgent(config)
        return config.id

    async def trigger_post(self, agent_id: str, context: dict[str, Any] | None = None) -> str:
        self.get_agent(agent_id)
        if self.failure is not None:
            raise self.failure
        self.contexts.append(context)
        return f"post-{len(self.contexts)}"

    async def add_memory(self, agent_id: str, content: str, kind: str = "general") -> str:
        self.get_agent(agent_id)
        memory = Memory(content=content, type=MemoryType(kind))
        return await self.memories.add_memory(agent_id, memory)

    async def get_memories(self, agent_id: str, *, limit: int = 50) -> list[StoredMemory]:
        self.get_agent(agent_id)
        return await self.memories.get_memories(agent_id, limit=limit)


class FakeFeed:
    """Keeps what happened. A view ends when the feed is closed, at once if it is already."""

    def __init__(self, *, closed: bool = False) -> None:
        self.happened: list[Event] = []
        self.meanwhile: list[Event] = []
        """What happens between the opening of a view and the next look at what is recent."""
        self.views: list[asyncio.Queue[Event | None]] = []
        self.has_left = asyncio.Event()
        """Set when the first of the views is closed."""
        self._closed = closed
        self._numbers = count(1)

    async def recent(self, *, limit: int) -> list[Event]:
        while self.meanwhile:
            self.tell(self.meanwhile.pop(0))
        return self.happened[-limit:]

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncGenerator[AsyncIterator[Event]]:
        view: asyncio.Queue[Event | None] = asyncio.Queue()
        self.views.append(view)
        if self._closed:
            view.put_nowait(None)
        try:
            yield _drawn(view)
        finally:
            self.views.remove(view)
            self.has_left.set()

    def tell(self, event: Event) -> Event:
        self.happened.append(event)
        for view in self.views:
            view.put_nowait(event)
        return event

    def happen(self, kind: str, agent_id: str = "alice", /, **payload: Any) -> Event:
        """Let something happen."""
        return self.tell(self.event(kind, agent_id, **payload))

    def event(self, kind: str, agent_id: str = "alice", /, **payload: Any) -> Event:
        """Return an event that has not happened."""
        number = next(self._numbers)
        return Event(
            id=EventId(f"event-{number}"),
            type=kind,
            agent_id=AgentId(agent_id),
            due_at=NOON,
            sequence=number,
            payload=payload,
        )

    def say(self, post_id: str, text: str, *, by: str = "alice", to: str | None = None) -> Event:
        """Let somebody post, or answer a post."""
        return self.happen(
            "post.published",
            by,
            post_id=post_id,
            handle=by,
            name=by.title(),
            text=text,
            in_reply_to=to,
            conversation_id=to or post_id,
            reply_to_handle="bob" if to else None,
        )

    def remember(self, content: str, *, by: str = "alice") -> Event:
        """Let somebody keep a memory."""
        return self.happen("memory.kept", by, handle=by, type="core", content=content)

    def close(self) -> None:
        """End all views."""
        for view in self.views:
            view.put_nowait(None)


async def _drawn(view: asyncio.Queue[Event | None]) -> AsyncIterator[Event]:
    while (event := await view.get()) is not None:
        yield event
