"""What agents do, without a database of events: for an `AgentManager` without a storage."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.core.ids import AgentId, EventId, IdFactory, IntentId, PostId
from puppet_engine.core.models import (
    AgentConfig,
    Effect,
    Event,
    EventDraft,
    Intent,
    IntentKind,
    IntentState,
    TurnOutcome,
)
from puppet_engine.memory.base import MemoryStore
from puppet_engine.storage.base import Arrival, Ledger


class DirectLedger(Ledger):
    """Keeps memories in a store and the rest in this process, where a kill would lose it."""

    def __init__(
        self,
        *,
        memory: MemoryStore,
        clock: Clock,
        ids: IdFactory,
        settle: Callable[[Event], Awaitable[None]] | None = None,
    ) -> None:
        self._settle = settle
        self._memory = memory
        self._clock = clock
        self._ids = ids
        self._numbers = count(1)
        self._cursors: dict[str, PostId] = {}
        self._intents: dict[str, Intent] = {}
        self._begun: dict[str, tuple[datetime, Intent]] = {}

    @override
    async def enrol(self, arrival: Arrival) -> list[Event]:
        for memory in arrival.first_memories:
            await self._memory.add_memory(arrival.config.id, memory)
        return self._number(arrival.first_events)

    @override
    async def enrol_new(self, arrivals: Sequence[Arrival]) -> list[Event]:
        return [event for arrival in arrivals for event in await self.enrol(arrival)]

    @override
    async def guests(self, *, limit: int) -> list[AgentConfig]:
        return []

    @override
    async def guest(self, agent_id: str) -> AgentConfig | None:
        return None

    @override
    async def unfinished(self) -> list[str]:
        return sorted({intent.agent_id for intent in self._intents.values()})

    @override
    async def cursor(self, agent_id: str) -> PostId | None:
        return self._cursors.get(agent_id)

    @override
    async def commit(
        self, agent_id: str, event: Event | None, outcome: TurnOutcome, *, error: str = ""
    ) -> list[Event]:
        if event is not None and self._settle is not None:
            await self._settle(event)
        for memory in outcome.memories:
            await self._memory.add_memory(agent_id, memory)
        if outcome.cursor is not None:
            self._cursors[agent_id] = outcome.cursor
        for draft in outcome.intents:
            intent = Intent(
                kind=draft.kind,
                payload=draft.payload,
                id=IntentId(self._ids()),
                agent_id=AgentId(agent_id),
                created_at=self._clock.now(),
            )
            self._intents[intent.id] = intent
        return self._number(outcome.events)

    def _number(self, drafts: Sequence[EventDraft]) -> list[Event]:
        return [
            Event(**draft.model_dump(), id=EventId(self._ids()), sequence=next(self._numbers))
            for draft in drafts
        ]

    @override
    async def open_intents(self, agent_id: str) -> list[Intent]:
        return [intent for intent in self._intents.values() if intent.agent_id == agent_id]

    @override
    async def journals(
        self, agent_id: str, kind: IntentKind, *, since: datetime
    ) -> list[Mapping[str, Any]]:
        return [
            intent.journal
            for begun_at, intent in self._begun.values()
            if begun_at >= since and intent.agent_id == agent_id and intent.kind is kind
        ]

    @override
    async def begin(self, intent: Intent, journal: Mapping[str, Any]) -> Intent:
        begun = self._change(intent, state=IntentState.SENDING, journal=dict(journal))
        self._begun[intent.id] = (self._clock.now(), begun)
        return begun

    @override
    async def release(self, intent: Intent) -> Intent:
        return self._change(intent, state=IntentState.PENDING)

    def _change(self, intent: Intent, **change: Any) -> Intent:
        self._intents[intent.id] = changed = intent.model_copy(update=change)
        return changed

    @override
    async def complete(self, intent: Intent, effect: Effect) -> list[Event]:
        await self._memory.add_memory(intent.agent_id, effect.memory)
        del self._intents[intent.id]
        return self._number(effect.events)

    @override
    async def refuse(self, intent: Intent, reason: str, event: EventDraft) -> list[Event]:
        del self._intents[intent.id]
        return self._number([event])
