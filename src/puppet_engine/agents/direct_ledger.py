"""What agents do, without a database of events: for an `AgentManager` without a storage."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.core.ids import EventId, IdFactory, PostId
from puppet_engine.core.minds import KnownMind, Tiding
from puppet_engine.core.models import AgentConfig, Event, EventDraft, Quarantined, TurnOutcome
from puppet_engine.core.moods import MoodState
from puppet_engine.core.relationships import Relationship
from puppet_engine.memory.base import MemoryStore
from puppet_engine.outbox.memory_intents import InMemoryIntents
from puppet_engine.storage.base import Arrival, Ledger
from puppet_engine.storage.intent_store import IntentStore
from puppet_engine.storage.minds import BEST_KNOWN, NEWS_FOR, TIDINGS
from puppet_engine.storage.population import require_different


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
        self._ids = ids
        self._numbers = count(1)
        self._guests: dict[str, Arrival] = {}
        self._cursors: dict[str, PostId] = {}
        self._moods: dict[str, MoodState] = {}
        self._relationships: dict[str, dict[str, Relationship]] = {}
        self._tidings: deque[tuple[str | None, Tiding]] = deque(maxlen=TIDINGS)
        self._clock = clock
        self.quarantine: list[tuple[str, Quarantined]] = []
        """What agents were told, and do not remember, oldest first."""
        self._intents = InMemoryIntents(
            clock=clock, ids=ids, remember=memory.add_memory, number=self._number
        )

    @property
    @override
    def intents(self) -> IntentStore:
        return self._intents

    @override
    async def enrol(self, arrival: Arrival) -> list[Event]:
        if arrival.is_guest:
            self._guests[arrival.config.id] = arrival
        for memory in arrival.first_memories:
            await self._memory.add_memory(arrival.config.id, memory)
        return self._number(arrival.first_events)

    @override
    async def enrol_new(self, arrivals: Sequence[Arrival]) -> list[Event]:
        require_different((*self._guests.values(), *arrivals))
        return [event for arrival in arrivals for event in await self.enrol(arrival)]

    @override
    async def guests(self, *, limit: int) -> list[str]:
        return sorted(self._guests)[:limit]

    @override
    async def guest(self, agent_id: str) -> AgentConfig | None:
        arrival = self._guests.get(agent_id)
        return None if arrival is None else arrival.config

    @override
    async def cursor(self, agent_id: str) -> PostId | None:
        return self._cursors.get(agent_id)

    @override
    async def mind(self, agent_id: str, *, about: str | None = None) -> KnownMind:
        known = self._relationships.get(agent_id, {})
        if about is None:
            best = sorted(known.values(), key=lambda each: (-each.familiarity, each.handle))
        else:
            best = [known[about]] if about in known else []
        since = self._clock.now() - NEWS_FOR
        tidings = (
            tiding
            for whose, tiding in self._tidings
            if whose in {None, agent_id} and tiding.happened_at > since
        )
        return KnownMind(
            mood=self._moods.get(agent_id),
            relationships=tuple(best[:BEST_KNOWN]),
            tidings=tuple(tidings),
        )

    @override
    async def is_open(self, event: Event) -> bool:
        return True  # no other process has it

    @override
    async def tell(self, event: Event, tiding: Tiding) -> None:
        if self._settle is not None:
            await self._settle(event)
        numbered = tiding.model_copy(update={"number": next(self._numbers)})
        self._tidings.append((event.agent_id, numbered))

    @override
    async def commit(
        self, agent_id: str, event: Event | None, outcome: TurnOutcome, *, error: str = ""
    ) -> list[Event]:
        if event is not None and self._settle is not None:
            await self._settle(event)
        for memory in outcome.memories:
            await self._memory.add_memory(agent_id, memory)
        for memory_id in outcome.forgotten:
            await self._memory.delete_memory(agent_id, memory_id)
        self.quarantine += [(agent_id, one) for one in outcome.quarantined]
        if outcome.cursor is not None:
            self._cursors[agent_id] = outcome.cursor
        if outcome.mood is not None:
            self._moods[agent_id] = outcome.mood
        standing = self._relationships.setdefault(agent_id, {})
        standing |= {each.handle: each for each in outcome.relationships}
        self._intents.add(agent_id, outcome.intents)
        return self._number(outcome.events)

    def _number(self, drafts: Sequence[EventDraft]) -> list[Event]:
        return [
            Event(**draft.model_dump(), id=EventId(self._ids()), sequence=next(self._numbers))
            for draft in drafts
        ]
