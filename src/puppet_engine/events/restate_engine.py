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
from datetime import datetime, timedelta
from typing import Final

from starlette.types import ASGIApp
from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    ConfigurationError,
    EngineUnavailableError,
    StorageError,
)
from puppet_engine.core.ids import IdFactory, random_id
from puppet_engine.core.models import Event
from puppet_engine.events.base import Consumer
from puppet_engine.events.engine import MOST_WAITING, EventEngine
from puppet_engine.events.hand_over import HandedOver, HandOver
from puppet_engine.events.restate_client import RestateClient
from puppet_engine.events.retention import Kept, Retention
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

REGISTRATION_WAITS_SECONDS: Final = (0.2, 0.5, 1, 2)
"""How long a worker waits between its attempts to make itself known."""

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

    def __init__(  # noqa: PLR0913 - keyword arguments, chosen one by one
        self,
        *,
        store: EventStore,
        clock: Clock,
        shared: Shared,
        ids: IdFactory = random_id,
        seed: int = 0,
        concurrency: int = 64,
        most_waiting: int = MOST_WAITING,
        retention: timedelta | None = None,
        also_kept: Sequence[Kept] = (),
    ) -> None:
        self._shared = shared
        self._hand_over = HandOver(
            wakeups=shared.wakeups,
            restate=shared.restate,
            clock=clock,
            is_fact=self._is_fact,
            settle=self._settle_facts,
        )
        self._handed_over = HandedOver(self._hand_over)
        super().__init__(
            store=store,
            clock=clock,
            ids=ids,
            seed=seed,
            most_waiting=most_waiting,
            agenda=self._handed_over,
        )
        self._retention = Retention((Kept(store, retention), *also_kept), clock=clock)
        self._room = asyncio.Semaphore(concurrency)
        self._sweep_wanted = asyncio.Event()
        self._over: asyncio.Queue[Event] = asyncio.Queue()
        self._parts = AsyncExitStack()
        self._failure: BaseException | None = None
        self._has_failed = asyncio.Event()

    # -------------------------------------------------------------- life

    @override
    async def load(self) -> None:
        if not self._is_loaded:
            self._is_loaded = True
            await self._shared.wakeups.install()

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
            await self._make_known(url)
            self._hand_over.start()
            self._loop = asyncio.create_task(self._live(), name="event engine")
            self._parts = parts.pop_all()
        log.info("this worker is reached at %s", url)

    async def _make_known(self, url: str) -> None:
        """Register; Restate may ask another worker at the same address, which dies just then."""
        for wait_seconds in REGISTRATION_WAITS_SECONDS:
            try:
                return await self._shared.restate.register(url)
            except EngineUnavailableError as error:
                log.warning("registering again in %s s: %s", wait_seconds, error)
                await asyncio.sleep(wait_seconds)
        return await self._shared.restate.register(url)

    @override
    async def stop(self) -> None:
        if self._loop is None:
            return
        await self._hand_over.let_go()
        # First the door: turns under way are finished, and what they bring is handed over.
        await self._parts.aclose()
        self._loop.cancel()
        await asyncio.gather(self._loop, return_exceptions=True)
        self._loop = None
        await self._feed.drain()

    async def _live(self) -> None:
        tasks = [
            asyncio.create_task(part)
            for part in (
                self._hand_over.join(),
                self._tell_others(),
                self._sweep_when_asked(),
                self._raise_failure(),
            )
        ]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*ended)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @override
    def fail(self, reason: BaseException) -> None:
        self._failure = self._failure or reason
        self._has_failed.set()

    async def _raise_failure(self) -> None:
        await self._has_failed.wait()
        if self._failure is not None:
            raise self._failure

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
            wakeups, whose = self._shared.wakeups, agent_id or None
            event = await wakeups.asked_by(whose, sequence)
            if event is None:
                await self._recover(agent_id)
            while event is not None:
                await self._take(event)
                if event.sequence == sequence:
                    break
                event = await wakeups.asked_by(whose, sequence)
        await self._hand_over.drained()

    async def _recover(self, agent_id: str) -> None:
        """Go on where somebody may have died who took an event: what it brought may lie about."""
        self._sweep_wanted.set()
        if self._consumer is not None and agent_id:
            await self._consumer.recover(agent_id)

    async def _take(self, event: Event) -> None:
        await self._clock.wait_until(event.due_at)  # as much as two machines' clocks differ
        self._handed_over.begin(event)
        if not await self._dispatcher.take(event):
            raise EngineUnavailableError(
                f"agent {event.agent_id!r} does not live in this process: "
                "give every worker the same personas"
            )
        self._over.put_nowait(event)

    @property
    def _consumer(self) -> Consumer | None:
        return self._dispatcher.consumer

    def _is_fact(self, event: Event) -> bool:
        """Say whether an event asks nobody for anything: to be told is all."""
        is_taken = self._consumer is not None and self._consumer.takes(event)
        return not is_taken and event.schedule_id is None

    async def _settle_facts(self, events: Sequence[Event]) -> None:
        for event in await self._shared.wakeups.settle(events):
            self._feed.tell(event)
            self._over.put_nowait(event)

    # -------------------------------------------------------------- the other workers

    async def _tell_others(self) -> None:
        while True:
            events = [await self._over.get()]
            while not self._over.empty():
                events.append(self._over.get_nowait())
            try:
                await self._shared.notices.tell(events)
            except StorageError as error:
                log.warning("other workers are not told of %d events: %s", len(events), error)
            await self._retention.keep()

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
