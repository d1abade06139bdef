"""The event engine: everything that happens passes through here, in order."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.errors import NotRunningError, RateLimitedError
from puppet_engine.core.models import Event, EventDraft
from puppet_engine.events.agenda import Agenda
from puppet_engine.events.base import Consumer, Listener
from puppet_engine.events.feed import Feed
from puppet_engine.events.memory_store import InMemoryEventStore
from puppet_engine.storage.base import EventStore

log = logging.getLogger(__name__)

ATTEMPTS: Final = 5
"""How often an event may fail before it is given up."""

FIRST_RETRY: Final = timedelta(seconds=30)
"""The wait after the first failure; it doubles with each further one."""


class EventEngine:
    """Takes events when they are due, one agent's one after the other.

    Ties are broken by (due, agent, sequence).
    With `concurrency=1`, under a virtual clock, a life is repeatable to the letter.
    """

    def __init__(
        self,
        *,
        store: EventStore | None = None,
        clock: Clock | None = None,
        concurrency: int = 1,
    ) -> None:
        self._store = store or InMemoryEventStore()
        self._clock = clock or SystemClock()
        self._concurrency = concurrency
        self._agenda = Agenda()
        self._consumer: Consumer | None = None
        self._feed = Feed()
        self._wake = asyncio.Event()
        self._under_way: dict[asyncio.Task[None], Event] = {}
        self._loop: asyncio.Task[None] | None = None
        self._loaded = False
        self._failure: BaseException | None = None
        self.failed_turns = 0
        """How often an event failed since the engine was built, tried again or given up."""

    # -------------------------------------------------------------- life

    @property
    def is_running(self) -> bool:
        """Whether events are being taken."""
        return self._loop is not None and not self._loop.done()

    async def load(self) -> None:
        """Put on the agenda what was pending when the last process ended."""
        if not self._loaded:
            self._agenda.add(await self._store.pending())
            self._loaded = True

    async def start(self) -> None:
        """Begin to take events. Calling it again does nothing."""
        if not self.is_running:
            await self.load()
            self._loop = asyncio.create_task(self._run(), name="event engine")

    async def stop(self) -> None:
        """Finish the turns under way, then stop. What is not due yet stays pending."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None
        if self._under_way:
            await asyncio.gather(*self._under_way)
        await self._feed.drain()

    async def join(self) -> None:
        """Wait until the engine ends, and raise what ended it.

        Raises:
            NotRunningError: the engine was not started.

        """
        if self._loop is None:
            raise NotRunningError("the event engine", "await start() first")
        await self._loop

    def fail(self, reason: BaseException) -> None:
        """Take no more events, for a reason that lies outside; `join` raises it."""
        self._failure = self._failure or reason
        self._wake.set()

    # -------------------------------------------------------------- what is to happen

    def consume_with(self, consumer: Consumer) -> None:
        """Name the one who settles what happens to agents."""
        self._consumer = consumer

    async def publish(self, *drafts: EventDraft) -> list[Event]:
        """Keep events and let them happen when they are due. They are kept when this returns."""
        events = await self._store.append(drafts)
        self.accept(events)
        return events

    def accept(self, events: Sequence[Event]) -> None:
        """Let events happen that a transaction of somebody else's has already kept."""
        self._agenda.add(events)
        self._wake.set()

    async def cancel(self, event_id: str) -> bool:
        """Drop an event that has not happened yet; False when it is over, under way or unknown."""
        if event_id in {event.id for event in self._under_way.values()}:
            return False
        self._agenda.drop(event_id)
        return await self._store.cancel(event_id)

    async def settle(self, event: Event) -> None:
        """Mark an event as over, for a consumer that keeps no transactions of its own."""
        await self._store.settle(event)

    # -------------------------------------------------------------- what has happened

    def subscribe(self, event_type: str, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every event of a type (`*` for all) once it is over.

        Returns the function that ends the subscription.
        """
        return self._feed.subscribe(event_type, listener)

    def watch(self) -> contextlib.AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Open a live view: every event that is over from now on, in order."""
        return self._feed.watch()

    async def recent(self, *, limit: int, types: Collection[str] = ()) -> list[Event]:
        """Return the events that were over last, oldest first; of some `types` only, if any."""
        return await self._store.recent(limit=limit, types=types)

    # -------------------------------------------------------------- the loop

    async def run_until(self, until: datetime) -> None:
        """Take every event due up to `until`, then return; for rehearsals, instead of `start`."""
        await self.load()
        await self._run(until)
        await self._feed.drain()

    async def _run(self, until: datetime | None = None) -> None:
        while self._failure is None:
            event = self._agenda.next(busy=self._busy())
            if event is None or (until is not None and event.due_at > until):
                if until is not None and not self._under_way:
                    await self._clock.wait_until(until)
                    return
                await self._wait_for_change()
            elif await self._came(event):
                self._agenda.drop(event.id)
                await self._begin(event)
        raise self._failure

    def _busy(self) -> set[str]:
        return {event.agent_id for event in self._under_way.values() if event.agent_id}

    async def _wait_for_change(self) -> None:
        self._wake.clear()
        await self._wake.wait()

    async def _came(self, event: Event) -> bool:
        """Wait for an event; False when something was put on the agenda meanwhile."""
        if event.due_at <= self._clock.now():
            return True
        self._wake.clear()
        due = asyncio.ensure_future(self._clock.wait_until(event.due_at))
        change = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({due, change}, return_when=asyncio.FIRST_COMPLETED)
            return due.done()
        finally:
            due.cancel()
            change.cancel()
            await asyncio.gather(due, change, return_exceptions=True)

    async def _begin(self, event: Event) -> None:
        task = asyncio.create_task(self._take(event), name=f"{event.type} of {event.agent_id}")
        self._under_way[task] = event
        task.add_done_callback(self._end)
        while len(self._under_way) >= self._concurrency:
            # `wait` cancels nothing: who stops the engine lets the turns under way end.
            await asyncio.wait(set(self._under_way), return_when=asyncio.FIRST_COMPLETED)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        if not task.cancelled():
            self._failure = self._failure or task.exception()
        self._wake.set()

    async def _take(self, event: Event) -> None:
        with self._clock.in_flight():
            try:
                is_over = await self._happen(event)
            except Exception as error:  # the border of the agent loop
                log.exception("%s of agent %s failed", event.type, event.agent_id)
                await self._postpone(event, error)
            else:
                if is_over:
                    self._feed.tell(event)

    async def _happen(self, event: Event) -> bool:
        """Let an event happen; False when it has to wait for another process."""
        if self._consumer is not None and self._consumer.takes(event):
            return await self._consumer.consume(event)
        await self._store.settle(event)
        return True

    async def _postpone(self, event: Event, error: Exception) -> None:
        self.failed_turns += 1
        reason = f"{type(error).__name__}: {error}"
        failures = event.failures + 1
        due_at = self._clock.now() + FIRST_RETRY * 2 ** (failures - 1)
        if isinstance(error, RateLimitedError):
            due_at = max(due_at, error.resets_at)
        again = event.model_copy(update={"due_at": due_at, "failures": failures})
        # Its turn may have become fact before something went wrong: then it must not come back.
        if not await self._store.postpone(again, error=reason):
            return
        if failures < ATTEMPTS:
            self.accept([again])
        else:
            await self._give_up(event, reason)

    async def _give_up(self, event: Event, reason: str) -> None:
        if self._consumer is not None and self._consumer.takes(event):
            await self._consumer.abandon(event, error=reason)
        else:
            await self._store.settle(event, error=reason)
        log.error("%s of agent %s is given up: %s", event.type, event.agent_id, reason)
        payload = {"agent_id": event.agent_id, "event": event.type, "error": reason}
        draft = EventDraft(type="agent.failed", due_at=self._clock.now(), payload=payload)
        await self.publish(draft)
