"""The event engine of many machines: truth in PostgreSQL, time and turns kept by Restate.

Each event is a row, as in the embedded engine, and beside it lies a wake-up.
Restate keeps wake-ups until they are due, and gives those of one agent to one worker at a time.
Whoever is woken takes the event from the database, with all of the agent's that comes before it,
and settles it in one transaction. So a wake-up that comes twice, late or for nothing does no harm,
and the order of an agent's events is the database's, whatever happens on the way.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.types import ASGIApp
from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import ConfigurationError, EngineUnavailableError, NotRunningError, StorageError
from puppet_engine.core.models import Event
from puppet_engine.events.engine import EventEngine
from puppet_engine.events.hand_over import HandOver
from puppet_engine.events.restate_client import RestateClient
from puppet_engine.storage.base import EventStore
from puppet_engine.storage.notices import Notices
from puppet_engine.storage.wakeups import Wakeups

try:
    from puppet_engine.events.restate_objects import endpoint, leave_signals_alone
except ImportError as error:
    raise ConfigurationError(
        f"many machines need {error.name!r}: pip install 'puppet-engine[scale]'"
    ) from error

log = logging.getLogger(__name__)

MOMENT_SECONDS: Final = 1
"""How long a living worker may take to hand a wake-up over before another one does it."""

LAST_WORDS_SECONDS: Final = 3
"""How long a worker that ends tries to hand over what its last turns brought."""

Serve = Callable[[ASGIApp], AbstractAsyncContextManager[str]]
"""Serves an application while the context is open; gives the address Restate is to use."""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the workers of one life have in common."""

    wakeups: Wakeups
    notices: Notices
    restate: RestateClient
    serve: Serve
    identity_key: str | None = None
    """Restate's public key; without one a worker obeys whoever reaches it."""


class RestateEngine(EventEngine):
    """Takes events together with other workers, wherever they are."""

    def __init__(
        self, *, store: EventStore, clock: Clock, shared: Shared, concurrency: int = 64
    ) -> None:
        super().__init__(store=store, clock=clock, concurrency=concurrency)
        self._shared = shared
        self._room = asyncio.Semaphore(concurrency)
        self._hand_over = HandOver(
            wakeups=shared.wakeups,
            restate=shared.restate,
            clock=clock,
            is_fact=lambda event: not self._is_consumed(event),
            settle=self._settle_facts,
        )
        self._sweep_wanted = asyncio.Event()
        self._told: asyncio.Queue[Event] = asyncio.Queue()
        self._parts = AsyncExitStack()
        self._main: asyncio.Task[None] | None = None

    # -------------------------------------------------------------- life

    @property
    @override
    def is_running(self) -> bool:
        return self._main is not None and not self._main.done()

    @override
    async def load(self) -> None:
        if not self._loaded:
            await self._shared.wakeups.install()
            self._loaded = True

    @override
    async def start(self) -> None:
        if self.is_running:
            return
        await self.load()
        leave_signals_alone()
        async with AsyncExitStack() as parts:
            await self._shared.notices.listen(self._hear)
            parts.push_async_callback(self._shared.notices.close)
            parts.push_async_callback(self._hand_over.stop, patience_seconds=LAST_WORDS_SECONDS)
            app = endpoint(self.wake, identity_key=self._shared.identity_key)
            url = await parts.enter_async_context(self._shared.serve(app))
            await self._shared.restate.register(url)
            self._hand_over.start()
            self._main = asyncio.create_task(self._live(), name="event engine")
            self._parts = parts.pop_all()
        log.info("this worker is reached at %s", url)

    @override
    async def stop(self) -> None:
        if self._main is None:
            return
        self._main.cancel()
        await asyncio.gather(self._main, return_exceptions=True)
        self._main = None
        await self._hand_over.let_go()
        # First the door: turns under way are finished, and what they bring is handed over.
        await self._parts.aclose()
        await self._feed.drain()

    @override
    async def join(self) -> None:
        if self._main is None:
            raise NotRunningError("the event engine", "await start() first")
        await self._main

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hand_over.join())
            tasks.create_task(self._tell_others())
            tasks.create_task(self._sweep_when_asked())

    # -------------------------------------------------------------- what is to happen

    @override
    def accept(self, events: Sequence[Event]) -> None:
        self._hand_over.add(events)

    @override
    async def run_until(self, until: datetime) -> None:
        raise ConfigurationError(
            "a rehearsal is one process under a virtual clock: set PUPPET_ENGINE to 'embedded'"
        )

    # -------------------------------------------------------------- what happens

    async def wake(self, agent_id: str, sequence: int) -> None:
        """Take an event, and before it what should have happened to its agent already.

        When this returns it is over, or was postponed, and all it brought is handed over.

        Raises:
            EngineUnavailableError: it cannot happen in this process; another may have more luck.
            StorageError: the database cannot be reached.

        """
        async with self._room:
            events = await self._shared.wakeups.asked_by(sequence)
            if not events:
                await self._recover(agent_id)
            for event in events:
                await self._take_one(event)
        await self._hand_over.drained()

    async def _recover(self, agent_id: str) -> None:
        """The event is over already: it may be that who took it died in the midst of what came."""
        self._sweep_wanted.set()
        if self._consumer is not None and agent_id:
            await self._consumer.recover(agent_id)

    async def _take_one(self, event: Event) -> None:
        await self._clock.wait_until(event.due_at)  # as much as two machines' clocks differ
        with self._clock.in_flight():
            try:
                is_over = await self._happen(event)
            except Exception as error:  # the border of the agent loop
                log.exception("%s of agent %s failed", event.type, event.agent_id)
                await self._postpone(event, error)
                return
        if not is_over:
            raise EngineUnavailableError(
                f"agent {event.agent_id!r} does not live in this process: "
                "give every worker the same personas"
            )
        self._tell(event)

    def _is_consumed(self, event: Event) -> bool:
        return self._consumer is not None and self._consumer.takes(event)

    async def _settle_facts(self, events: Sequence[Event]) -> None:
        for event in await self._shared.wakeups.settle(events):
            self._tell(event)

    # -------------------------------------------------------------- the other workers

    def _tell(self, event: Event) -> None:
        self._feed.tell(event)
        self._told.put_nowait(event)

    async def _tell_others(self) -> None:
        while True:
            events = [await self._told.get()]
            while not self._told.empty():
                events.append(self._told.get_nowait())
            try:
                await self._shared.notices.tell(events)
            except StorageError as error:
                log.warning("other workers are not told of %d events: %s", len(events), error)

    async def _hear(self, events: list[Event]) -> None:
        for event in events:
            self._feed.tell(event)

    async def _sweep_when_asked(self) -> None:
        """Hand over what processes left behind that died; at the start, and when it looks so."""
        await self._hand_over.sweep()
        while True:
            await self._sweep_wanted.wait()
            self._sweep_wanted.clear()
            # What a living worker is about to hand over is gone a moment later.
            await self._hand_over.sweep_what_stays(seconds=MOMENT_SECONDS)
