"""The event engine that lives in the process: everything that happens passes through here."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import override

from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.errors import BacklogFullError, NotRunningError
from puppet_engine.core.history import EventRecord, HistoryQuery
from puppet_engine.core.ids import IdFactory, random_id
from puppet_engine.core.models import Event, EventDraft, EventTemplate
from puppet_engine.core.schedules import Recurrence, Schedule
from puppet_engine.events.agenda import Agenda
from puppet_engine.events.base import Consumer, Engine, Listener
from puppet_engine.events.dispatcher import Dispatcher
from puppet_engine.events.feed import Feed
from puppet_engine.events.memory_store import InMemoryEventStore
from puppet_engine.events.planner import Planner
from puppet_engine.events.retention import Kept, Retention
from puppet_engine.storage.base import EventStore

MOST_WAITING: Final = 250_000
"""How many events may wait; without a store, how many may be ahead."""

WINDOW: Final = 8_192
"""How many events of each priority are held in memory; the rest stay rows."""


class EventEngine(Engine):
    """Takes events when they are due, in this process alone.

    With a `store` it holds a window of what is ahead, and survives the process;
    without one everything is in memory and ends with it.
    With `concurrency=1`, under a virtual clock, a life is repeatable to the letter.
    """

    def __init__(  # noqa: PLR0913 - keyword arguments with defaults, chosen one by one
        self,
        *,
        store: EventStore | None = None,
        clock: Clock | None = None,
        ids: IdFactory = random_id,
        seed: int = 0,
        concurrency: int = 1,
        most_waiting: int = MOST_WAITING,
        window: int = WINDOW,
        retention: timedelta | None = None,
        also_kept: Sequence[Kept] = (),
        agenda: Agenda | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._store = store or InMemoryEventStore(clock=self._clock, ids=ids)
        self._is_in_memory = isinstance(self._store, InMemoryEventStore)
        self._most_waiting = most_waiting
        if agenda is None:
            agenda = Agenda(window=None if self._is_in_memory else window)
        self._agenda = agenda
        self._feed = Feed()
        self._planner = Planner(
            store=self._store, clock=self._clock, agenda=self._agenda, ids=ids, seed=seed
        )
        self._dispatcher = Dispatcher(
            store=self._store,
            clock=self._clock,
            agenda=self._agenda,
            feed=self._feed,
            planner=self._planner,
            retention=Retention((Kept(self._store, retention), *also_kept), clock=self._clock),
            concurrency=concurrency,
        )
        self._loop: asyncio.Task[None] | None = None
        self._is_loaded = False

    @property
    def failed_turns(self) -> int:
        """How often an event failed since the engine was built, tried again or given up."""
        return self._dispatcher.failed_turns

    # -------------------------------------------------------------- life

    @property
    @override
    def is_running(self) -> bool:
        return self._loop is not None and not self._loop.done()

    @override
    async def load(self) -> None:
        if self._is_loaded:
            return
        self._is_loaded = True
        if self._is_in_memory:
            self._agenda.add(await self._store.pending(), now=self._clock.now())
        else:
            self._agenda.begin_partial()
            await self._dispatcher.read_on()

    @override
    async def start(self) -> None:
        if not self.is_running:
            await self.load()
            self._loop = asyncio.create_task(self._dispatcher.run(), name="event engine")

    @override
    async def stop(self) -> None:
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None
        await self._dispatcher.drain()
        await self._feed.drain()

    @override
    async def join(self) -> None:
        if self._loop is None:
            raise NotRunningError("the event engine", "await start() first")
        await self._loop

    def fail(self, reason: BaseException) -> None:
        """Take no more events, for a reason that lies outside; `join` raises it."""
        self._dispatcher.fail(reason)

    async def run_until(self, until: datetime) -> None:
        """Take every event due up to `until`, then return; for rehearsals, instead of `start`."""
        await self.load()
        await self._dispatcher.run(until)
        await self._feed.drain()

    # -------------------------------------------------------------- what is to happen

    @override
    def consume_with(self, consumer: Consumer) -> None:
        self._dispatcher.consumer = consumer

    @override
    async def publish(self, *drafts: EventDraft) -> list[Event]:
        self._require_room(drafts)
        events = await self._store.append(drafts)
        self.accept(events)
        return events

    def _require_room(self, drafts: Sequence[EventDraft]) -> None:
        """Refuse more than may wait: of what is due; without a store, of what is ahead."""
        waiting, more = len(self._agenda), len(drafts)
        if not self._is_in_memory:
            now = self._clock.now()
            waiting, more = self._agenda.waiting, sum(draft.due_at <= now for draft in drafts)
        if more and waiting + more > self._most_waiting:
            raise BacklogFullError(waiting=waiting, more=more, bound=self._most_waiting)

    @override
    def accept(self, events: Sequence[Event]) -> None:
        self._agenda.add(events, now=self._clock.now())
        self._dispatcher.wake()

    @override
    async def schedule_after(self, delay: timedelta, template: EventTemplate) -> Event:
        return await self.schedule_at(self._clock.now() + delay, template)

    @override
    async def schedule_every(self, recurrence: Recurrence, template: EventTemplate) -> Schedule:
        schedule = await self._planner.begin(recurrence, template)
        self._dispatcher.wake()
        return schedule

    @override
    async def schedules(self, *, after: str = "", limit: int = 100) -> list[Schedule]:
        return await self._store.schedules(after=after, limit=limit)

    @override
    async def cancel(self, id: str) -> bool:
        if self._agenda.is_under_way(id):
            return False
        self._agenda.drop(id)
        event = await self._store.cancel(id)
        if event is None:
            return await self._planner.end(id)
        if event.schedule_id is not None:
            # One occurrence is left out; its schedule goes on.
            await self._planner.plan_after(event)
            self._dispatcher.wake()
        return True

    @override
    async def settle(self, event: Event) -> None:
        await self._store.settle(event)

    # -------------------------------------------------------------- what happens

    @override
    def subscribe(self, event_type: str, listener: Listener) -> Callable[[], None]:
        return self._feed.subscribe(event_type, listener)

    @override
    def watch(self) -> contextlib.AbstractAsyncContextManager[AsyncIterator[Event]]:
        return self._feed.watch()

    # -------------------------------------------------------------- what has happened

    @override
    async def recent(self, *, limit: int, types: Collection[str] = ()) -> list[Event]:
        return await self._store.recent(limit=limit, types=types)

    @override
    async def history(self, query: HistoryQuery) -> list[EventRecord]:
        return await self._store.history(query)

    @override
    async def as_of(
        self, moment: datetime, *, agent_id: str | None = None, after: int = 0, limit: int = 100
    ) -> list[EventRecord]:
        return await self._store.as_of(moment, agent_id=agent_id, after=after, limit=limit)

    @override
    async def dead_letters(
        self, *, before: int | None = None, limit: int = 100
    ) -> list[EventRecord]:
        return await self._store.dead_letters(before=before, limit=limit)

    @override
    async def replay(self, event_id: str) -> Event:
        event = await self._store.replay(event_id, due_at=self._clock.now())
        self.accept([event])
        return event
