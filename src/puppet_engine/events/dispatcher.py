"""Takes events when they are due: who waits for whom, and what becomes of what fails.

One task keeps time; workers take the events. A worker goes on to the next event by itself,
so that only an event which really waits for something costs a task of its own.
"""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Final

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import PuppetEngineError, RateLimitedError
from puppet_engine.core.models import Event, EventDraft
from puppet_engine.events.agenda import Agenda
from puppet_engine.events.base import Consumer
from puppet_engine.events.feed import Feed
from puppet_engine.events.planner import Planner
from puppet_engine.events.retention import Retention
from puppet_engine.storage.base import EventStore

log = logging.getLogger(__name__)

ATTEMPTS: Final = 5
"""How often an event may fail before it is given up."""

FIRST_RETRY: Final = timedelta(seconds=30)
"""The wait after the first failure; it doubles with each further one."""

SLICE: Final = 32
"""After so many events everybody else in the process gets a chance; a number, not a time,
so that a seeded life does not depend on the machine's speed."""


class Dispatcher:
    """Lets what is on the agenda happen, at the most `concurrency` events at once."""

    def __init__(  # noqa: PLR0913 - the parts of an engine, handed in once
        self,
        *,
        store: EventStore,
        clock: Clock,
        agenda: Agenda,
        feed: Feed,
        planner: Planner,
        retention: Retention,
        concurrency: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._agenda = agenda
        self._feed = feed
        self._planner = planner
        self._retention = retention
        self._concurrency = concurrency
        self._workers: set[asyncio.Task[None]] = set()
        self._pausing = 0
        self._wake = asyncio.Event()
        self._until: datetime | None = None
        self._is_stopping = False
        self._failure: BaseException | None = None
        self.consumer: Consumer | None = None
        self.failed_turns = 0

    # -------------------------------------------------------------- keeping time

    def wake(self) -> None:
        """Look again: something has changed."""
        self._wake.set()

    def fail(self, reason: BaseException) -> None:
        """Take no more events; `run` raises the reason."""
        self._failure = self._failure or reason
        self.wake()

    async def run(self, until: datetime | None = None) -> None:
        """Take what is due, for ever, or until a moment has come and all that was due by then."""
        self._until, self._is_stopping = until, False
        while self._failure is None:
            self._wake.clear()
            await self.read_on()
            if self._can_begin():
                self._begin()
                # It runs until it waits for something; only then is it known who is still free.
                await asyncio.sleep(0)
            elif self._pausing and len(self._workers) < self._concurrency:
                await asyncio.sleep(0)
            elif self._is_over(until):
                await self._clock.wait_until(until or self._clock.now())
                if not self._can_begin():
                    return
            else:
                await self._retention.keep()
                await self._wait()
        raise self._failure

    async def drain(self) -> None:
        """Let the events under way end, and take no more."""
        self._is_stopping = True
        if self._workers:
            await asyncio.wait(self._workers)

    async def read_on(self) -> None:
        """Read what should be held of the store and is not."""
        while (page := self._agenda.gap()) is not None:
            self._agenda.begin_reading()
            events = await self._store.pending(page)
            self._agenda.fill(page, events, now=self._clock.now())

    def _can_begin(self) -> bool:
        self._ripen()
        return (
            self._agenda.has_free and not self._pausing and len(self._workers) < self._concurrency
        )

    def _ripen(self) -> None:
        now = self._clock.now()
        self._agenda.ripen(now if self._until is None else min(now, self._until))

    def _is_over(self, until: datetime | None) -> bool:
        if until is None or self._workers or self._agenda.has_due:
            return False
        due_at = self._agenda.next_due_at()
        return due_at is None or due_at > until

    async def _wait(self) -> None:
        """Wait for the next timer or for a change; with nobody free, for a change alone."""
        due_at = self._agenda.next_due_at()
        is_full = len(self._workers) >= self._concurrency
        if is_full or due_at is None or (self._until is not None and due_at > self._until):
            await self._wake.wait()
            return
        due = asyncio.ensure_future(self._clock.wait_until(due_at))
        change = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({due, change}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            due.cancel()
            change.cancel()
            await asyncio.gather(due, change, return_exceptions=True)

    # -------------------------------------------------------------- taking events

    def _begin(self) -> None:
        worker = asyncio.create_task(self._work(), name="events")
        self._workers.add(worker)
        worker.add_done_callback(self._end)

    def _end(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled():
            self._failure = self._failure or worker.exception()
        self._wake.set()

    async def _work(self) -> None:
        agenda, tell, taken = self._agenda, self._feed.tell, 0
        # No virtual time passes from one event to the next: not only while each is under way.
        with self._clock.in_flight():
            while not self._is_stopping:
                if agenda.has_timers:
                    self._ripen()
                event = agenda.next()
                if event is None:
                    return
                try:
                    is_over = await self._happen(event) is not False
                except Exception as error:  # noqa: BLE001 - the border of the agent loop; logged
                    await self._fail(event, error)
                else:
                    agenda.release(event)
                    if is_over:
                        tell(event)
                taken += 1
                if taken % SLICE == 0:
                    await self._pause()

    async def take(self, event: Event) -> bool:
        """Let one event happen, or come again later; False when it cannot in this process.

        Raises what went wrong once the event was over: what was to follow may not have followed.
        """
        try:
            is_over = await self._happen(event) is not False
        except Exception as error:
            if not await self._fail(event, error):
                raise
            return True
        self._agenda.release(event)
        if is_over:
            self._feed.tell(event)
        return is_over

    async def _pause(self) -> None:
        if self._agenda.gap() is not None:
            self._wake.set()
        self._pausing += 1
        try:
            await asyncio.sleep(0)
        finally:
            self._pausing -= 1

    def _happen(self, event: Event) -> Awaitable[bool | None]:
        """Let an event happen; False when it has to wait for another process."""
        # What is awaited is handed on as it is: a coroutine around it would cost as much again.
        if event.schedule_id is not None:
            return self._happen_again(event)
        if self.consumer is not None and self.consumer.takes(event):
            return self.consumer.consume(event)
        return self._store.settle(event)

    async def _happen_again(self, event: Event) -> bool | None:
        # Before it happens: whatever becomes of this occurrence, the next one comes.
        await self._planner.plan_after(event)
        if self.consumer is not None and self.consumer.takes(event):
            return await self.consumer.consume(event)
        await self._store.settle(event)
        return True

    # -------------------------------------------------------------- what fails

    async def _fail(self, event: Event, error: Exception) -> bool:
        """Let a failed event come again, or give it up; False when it was over already."""
        reason = f"{type(error).__name__}: {error}"
        # What is known to happen says itself what, and what to do: where, tells nobody more.
        is_known = isinstance(error, PuppetEngineError) and not log.isEnabledFor(logging.DEBUG)
        log.error(
            "%s of agent %s failed: %s",
            event.type,
            event.agent_id,
            reason,
            exc_info=None if is_known else error,
        )
        self.failed_turns += 1
        failures = event.failures + 1
        due_at = self._clock.now() + FIRST_RETRY * 2 ** (failures - 1)
        if isinstance(error, RateLimitedError):
            due_at = max(due_at, error.resets_at)
        again = event.model_copy(update={"due_at": due_at, "failures": failures})
        # Its turn may have become fact before something went wrong: then it must not come back.
        is_open = await self._store.postpone(again, error=reason)
        if is_open and failures >= ATTEMPTS:
            await self._give_up(event, reason)
        self._agenda.release(event)
        if is_open and failures < ATTEMPTS:
            self._agenda.add([again], now=self._clock.now())
            self._wake.set()
        return is_open

    async def _give_up(self, event: Event, reason: str) -> None:
        if self.consumer is not None and self.consumer.takes(event):
            await self.consumer.abandon(event, error=reason)
        else:
            await self._store.settle(event, error=reason)
        log.error("%s of agent %s is given up: %s", event.type, event.agent_id, reason)
        payload = {"agent_id": event.agent_id, "event": event.type, "error": reason}
        draft = EventDraft(type="agent.failed", due_at=self._clock.now(), payload=payload)
        self._agenda.add(await self._store.append([draft]), now=self._clock.now())
        self._wake.set()
