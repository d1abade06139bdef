"""The composition root: the only module that knows every class."""

import contextlib
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from math import inf
from typing import Any, TypeVar

from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.agents.inner_desk import InnerDesk
from puppet_engine.core.agent_locks import AgentLocks, LocalAgentLocks
from puppet_engine.core.clock import Clock, PacedClock, SystemClock, VirtualClock
from puppet_engine.core.errors import NotRunningError, StorageError
from puppet_engine.core.ids import IdFactory, random_id
from puppet_engine.core.models import AgentConfig
from puppet_engine.core.settings import Settings, secrets_of
from puppet_engine.events.engine import EventEngine
from puppet_engine.events.retention import Kept
from puppet_engine.llm.base import LLMProvider
from puppet_engine.llm.budget_desk import BudgetDesk
from puppet_engine.llm.endpoints import brain_endpoint
from puppet_engine.llm.one_model import OneModelProvider
from puppet_engine.llm.stack import bill_of, budget_of, create_models
from puppet_engine.memory.base import MemoryStore
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.outbox.budget import Budget
from puppet_engine.personas.reader import read_personas
from puppet_engine.storage.answers import StoredAnswers
from puppet_engine.storage.beginnings import common_beginning
from puppet_engine.storage.decisions import StoredDecisions
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.intents import StoredIntents
from puppet_engine.storage.ledger import StoredLedger
from puppet_engine.storage.likeness import likeness_by
from puppet_engine.storage.model_spending import StoredSpending
from puppet_engine.storage.ownership import sole_owner
from puppet_engine.storage.persona_versions import PersonaVersions
from puppet_engine.storage.wakeups import Wakeups
from puppet_engine.surroundings import Stage, Surroundings, surround
from puppet_engine.world.rehearsal import World

log = logging.getLogger(__name__)

T = TypeVar("T")


class App:
    """The whole engine: a cast of agents, the world they rehearse in, and all between."""

    def __init__(
        self, settings: Settings, *, clock: Clock, ids: IdFactory, stage: Stage | None
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._ids = ids
        self._stage = stage
        self._locks: AgentLocks = LocalAgentLocks()
        self._parts = contextlib.AsyncExitStack()
        self._agent_manager: AgentManager | None = None
        self._event_engine: EventEngine | None = None
        self._memory_store: MemoryStore | None = None
        self._storage: Storage | None = None

    # -------------------------------------------------------------- parts

    @property
    def agent_manager(self) -> AgentManager:
        """The agents. Raises `NotRunningError` before `startup`."""
        return _started(self._agent_manager)

    @property
    def event_engine(self) -> EventEngine:
        """What happens, when. Raises `NotRunningError` before `startup`."""
        return _started(self._event_engine)

    @property
    def memory_store(self) -> MemoryStore:
        """What agents remember. Raises `NotRunningError` before `startup`."""
        return _started(self._memory_store)

    @property
    def budget_desk(self) -> BudgetDesk:
        """What models were used for. Raises `NotRunningError` before `startup`."""
        return BudgetDesk(
            book=StoredSpending(_started(self._storage)),
            budget=budget_of(self.settings),
            clock=self.clock,
        )

    @property
    def inner_desk(self) -> InnerDesk:
        """What agents feel, for whom, and what they know. Raises `NotRunningError`."""
        return InnerDesk(_started(self._storage), clock=self.clock)

    @property
    def decisions(self) -> StoredDecisions:
        """Why the agents did what they did. Raises `NotRunningError`."""
        return StoredDecisions(_started(self._storage))

    # -------------------------------------------------------------- life

    async def startup(self) -> None:
        """Start everything and let time pass. When a part cannot start, none stays started.

        Raises:
            ConfigurationError: personas, models or settings cannot be used; nothing was touched.

        """
        await self.assemble()
        await self.event_engine.start()
        self._parts.push_async_callback(self.event_engine.stop)

    async def assemble(self) -> None:
        """Start everything except time: no event is taken before somebody runs the engine."""
        cast = self._stage.cast if self._stage else read_cast(self.settings)
        async with contextlib.AsyncExitStack() as parts:
            await self._put_together(parts)
            for persona in cast:
                await self.agent_manager.create_agent(persona)
                if self._stage is None:
                    await self._keep_version(persona, "read when the engine started")
            await self.agent_manager.revive_guests()
            await self.agent_manager.start_agents()
            parts.push_async_callback(self.agent_manager.stop_agents)
            self._parts = parts.pop_all()

    async def renew_cast(self) -> list[str]:
        """Read the personas again, and return the ids of those that are new or have changed.

        Raises:
            ConfigurationError: one of them cannot be used; all agents stay as they are.

        """
        renewed = []
        for persona in read_cast(self.settings):
            if persona.id not in self.agent_manager.agents:
                await self.agent_manager.create_agent(persona)
            elif not await self.agent_manager.renew_agent(persona):
                continue
            await self._keep_version(persona, "read again while the engine ran")
            renewed.append(persona.id)
        return renewed

    async def _keep_version(self, persona: AgentConfig, reason: str) -> None:
        await PersonaVersions(_started(self._storage)).keep(persona, reason=reason)

    async def shutdown(self) -> None:
        """Let the turns under way end, then stop everything, last started first."""
        await self._parts.aclose()

    async def _put_together(self, parts: contextlib.AsyncExitStack) -> None:
        settings = self.settings
        make = self._stage.open_storage if self._stage else Storage
        storage = await self._open(
            parts,
            settings.database_url,
            make,
            embedder=self._embedder(),
            follows_texts=not self._is_rehearsal(),
        )
        self._storage = storage
        events = StoredEvents(storage)
        await self._set_clock(storage, await events.latest_moment())
        surroundings = await surround(
            parts,
            settings,
            clock=self.clock,
            stage=self._stage,
            open_storage=partial(self._open, parts),
        )
        llm = self._find_words(storage, surroundings.world)
        parts.push_async_callback(llm.aclose)
        self._memory_store = SQLiteStore(settings, storage=storage, clock=self.clock)
        self._event_engine = await self._make_engine(parts, storage, events)
        self._agent_manager = self._gather(storage, llm, surroundings)
        parts.push_async_callback(self._agent_manager.close)

    async def _open(
        self,
        parts: contextlib.AsyncExitStack,
        url: str,
        make: Callable[..., Storage] = Storage,
        **texts: Any,
    ) -> Storage:
        storage = make(
            url,
            clock=self.clock,
            ids=self._ids,
            synchronous=self.settings.sqlite_synchronous,
            **texts,
        )
        await storage.open()
        parts.push_async_callback(storage.close)

        def lost(reason: StorageError) -> None:
            storage.forbid_writing(reason)
            if self._event_engine is not None:
                self._event_engine.fail(reason)

        # The machine's own time: who is refused asks since when the other one has been there.
        since = SystemClock().now()
        shared = self.settings.engine == "restate" and url == self.settings.database_url
        await parts.enter_async_context(sole_owner(url, since=since, on_loss=lost, shared=shared))
        return storage

    async def _set_clock(self, storage: Storage, last: datetime | None) -> None:
        if self._stage is not None:
            return  # time goes on around a stage
        if isinstance(self.clock, PacedClock):
            self.clock.begin_at(*await common_beginning(storage, self.clock))
        elif isinstance(self.clock, VirtualClock) and last is not None:
            self.clock.set(last)

    async def _make_engine(
        self, parts: contextlib.AsyncExitStack, storage: Storage, events: StoredEvents
    ) -> EventEngine:
        settings = self.settings
        if settings.engine == "restate":
            from puppet_engine.workers import join_workers  # noqa: PLC0415 - needs an extra

            engine, self._locks = await join_workers(parts, settings, storage, events)
            return engine
        await Wakeups(storage).remove()
        return EventEngine(
            store=events,
            clock=self.clock,
            ids=self._ids,
            seed=settings.seed,
            most_waiting=settings.most_waiting_events,
            retention=settings.event_retention,
            also_kept=(Kept(StoredIntents(storage), settings.said_retention),),
            concurrency=settings.concurrency,
        )

    def _is_in_step(self) -> bool:
        """Whether a turn waits for its effects.

        In a rehearsal, so that it is repeatable, and with other workers,
        who only know that a turn was cut short while its event, or its call, is not over.
        A life of one process that is watched waits for nobody's network.
        """
        return self._is_rehearsal() or self.settings.engine == "restate"

    def _is_rehearsal(self) -> bool:
        """Whether time stands still while anything is done, so that a life can be repeated."""
        return isinstance(self.clock, VirtualClock) and self.clock.factor == inf

    def _embedder(self) -> str:
        is_chosen = "embedder" in self.settings.model_fields_set
        return "static" if self._is_rehearsal() and not is_chosen else self.settings.embedder

    def _find_words(self, storage: Storage, world: World) -> LLMProvider:
        settings = self.settings
        if self._stage is not None:  # nobody pays, and its meter counts what is asked
            return OneModelProvider(self._stage.brain)
        bill = bill_of(settings, book=StoredSpending(storage), clock=self.clock)
        brain = brain_endpoint(world.llm_url)
        return create_models(settings, bill=bill, wall_clock=SystemClock(), brain=brain)

    def _gather(
        self, storage: Storage, llm: LLMProvider, surroundings: Surroundings
    ) -> AgentManager:
        return AgentManager(
            {
                "memory_store": self.memory_store,
                "default_llm_provider": llm,
                "event_engine": self.event_engine,
                "storage": StoredLedger(storage),
                "clock": self.clock,
                "ids": self._ids,
                "seed": self.settings.seed,
                "open_account": surroundings.open_account,
                "open_wallet": surroundings.open_wallet,
                "locks": self._locks,
                "mention_poll_minutes": self.settings.mention_poll_minutes,
                "resident_agents": self.settings.resident_agents,
                "budget": Budget(
                    intents=self.settings.max_intents_per_day,
                    cost=self.settings.max_microdollars_per_day,
                ),
                "answers": StoredAnswers(storage),
                "secrets": secrets_of(self.settings),
                "likeness": likeness_by(storage),
                "in_step": self._is_in_step(),
            }
        )


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    ids: IdFactory = random_id,
    stage: Stage | None = None,
) -> App:
    """Return an engine that nothing has been started of yet.

    Without a `clock`, time begins now, or where the database was left,
    and passes `settings.speed` times as fast as ours.
    On many machines it never stands still, and has the speed with which the life began.
    On a `stage` it lives in the world that is there, by the model that the world has.
    """
    return App(settings, clock=clock or _clock(settings), ids=ids, stage=stage)


def _clock(settings: Settings) -> Clock:
    if settings.engine == "restate":
        return PacedClock(SystemClock(), pace=settings.speed)
    return VirtualClock(SystemClock().now(), factor=settings.speed)


def read_cast(settings: Settings) -> list[AgentConfig]:
    """Return the personas in `settings.agents_dir`; none when it was not set and is not there.

    Raises:
        ConfigurationError: a persona is broken, or the folder that was set is not there.

    """
    chosen = "agents_dir" in settings.model_fields_set
    if not chosen and not settings.agents_dir.is_dir():
        return []
    return read_personas(settings.agents_dir)


def _started(part: T | None) -> T:
    if part is None:
        raise NotRunningError("the engine", "await startup() first")
    return part
