"""Sees that wake-ups get from the database into Restate's hands, many at once."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import EngineUnavailableError, StorageError
from puppet_engine.core.models import Event
from puppet_engine.events.agenda import Agenda
from puppet_engine.events.restate_client import RestateClient, Wakeup
from puppet_engine.storage.wakeups import Wakeups

log = logging.getLogger(__name__)

AT_ONCE: Final = 500
"""How many wake-ups are handed over in one request."""

FIRST_RETRY_SECONDS: Final = 0.1
LONGEST_RETRY_SECONDS: Final = 1.0
"""All agents of a worker wait for what it hands over, so it tries again soon."""

Settle = Callable[[Sequence[Event]], Awaitable[None]]
"""Settles events that are due and ask nobody for anything."""


class HandedOver(Agenda):
    """What is ahead, where it is in Restate's hands: here is only what is under way."""

    def __init__(self, hand_over: "HandOver") -> None:
        super().__init__()
        self._hand_over = hand_over
        self._here: set[str] = set()

    @property
    @override
    def waiting(self) -> int:
        """How many events wait to be handed over; how many are due only the database knows."""
        return self._hand_over.waiting

    @override
    def is_under_way(self, event_id: str) -> bool:
        return event_id in self._here

    @override
    def add(self, events: Iterable[Event], *, now: datetime) -> None:
        self._hand_over.add(list(events))

    @override
    def drop(self, event_id: str) -> None:
        """Do nothing: who is woken for what is over finds that it is."""

    def begin(self, event: Event) -> None:
        """Note that an event is under way in this process."""
        self._here.add(event.id)

    @override
    def release(self, event: Event) -> None:
        self._here.discard(event.id)


class HandOver:
    """Takes events that are committed, and does not rest until somebody will be woken for them.

    What is lost with the process is still in `wakeups`, where the next `sweep` finds it.
    """

    def __init__(
        self,
        *,
        wakeups: Wakeups,
        restate: RestateClient,
        clock: Clock,
        is_fact: Callable[[Event], bool],
        settle: Settle,
    ) -> None:
        self._wakeups = wakeups
        self._restate = restate
        self._clock = clock
        self._is_fact = is_fact
        self._settle = settle
        self._waiting: deque[Event] = deque()
        self._added = 0
        self._done = 0
        self._is_waited_for = True
        self._change = asyncio.Event()
        self._progress = asyncio.Condition()
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many events wait to be handed over."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to hand over."""
        self._worker = asyncio.create_task(self._work(), name="hand-over")

    async def let_go(self) -> None:
        """Let nobody wait for `drained` any more: Restate may reach no worker from now on."""
        async with self._progress:
            self._is_waited_for = False
            self._progress.notify_all()

    async def stop(self, *, patience_seconds: float) -> None:
        """Hand over what waits, as long as patience lasts; the next sweep finds the rest."""
        if self._worker is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_seconds):
                    await self._all_done(self._added)
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None

    async def join(self) -> None:
        """Wait until it ends, and raise what ended it."""
        if self._worker is not None:
            # Who waits for it may be cancelled, and it goes on.
            await asyncio.shield(self._worker)

    def add(self, events: Sequence[Event]) -> None:
        """Hand over the wake-ups of events, soon."""
        self._waiting.extend(events)
        self._added += len(events)
        self._change.set()

    async def drained(self) -> None:
        """Return when all that was added before is handed over, or was let go."""
        added = self._added
        async with self._progress:
            await self._progress.wait_for(lambda: self._done >= added or not self._is_waited_for)

    async def _all_done(self, added: int) -> None:
        async with self._progress:
            await self._progress.wait_for(lambda: self._done >= added)

    async def sweep(self) -> None:
        """Hand over all that is not handed over yet, whoever has left it behind."""
        while events := await self._wakeups.waiting(limit=AT_ONCE):
            self.add(events)
            await self._all_done(self._added)

    async def sweep_what_stays(self, *, seconds: float) -> None:
        """Hand over what nobody has handed over for so long: its process died meanwhile."""
        before = {event.sequence for event in await self._wakeups.waiting(limit=AT_ONCE)}
        if before:
            await asyncio.sleep(seconds)
            after = await self._wakeups.waiting(limit=AT_ONCE)
            self.add([event for event in after if event.sequence in before])

    async def _work(self) -> None:
        wait_seconds = FIRST_RETRY_SECONDS
        while True:
            self._change.clear()
            if not self._waiting:
                await self._change.wait()
            batch = [self._waiting[i] for i in range(min(AT_ONCE, len(self._waiting)))]
            try:
                await self._hand_over(batch)
            except (EngineUnavailableError, StorageError) as error:
                log.warning("%d wake-ups wait: %s", len(self._waiting), error)
                await asyncio.sleep(wait_seconds)
                wait_seconds = min(wait_seconds * 2, LONGEST_RETRY_SECONDS)
                continue
            wait_seconds = FIRST_RETRY_SECONDS
            for _ in batch:
                self._waiting.popleft()
            async with self._progress:
                self._done += len(batch)
                self._progress.notify_all()

    async def _hand_over(self, events: Sequence[Event]) -> None:
        now = self._clock.now()
        facts = [event for event in events if event.due_at <= now and self._is_fact(event)]
        known = {event.sequence for event in facts}
        others = [event for event in events if event.sequence not in known]
        if facts:
            await self._settle(facts)
        if others:
            await self._restate.wake([self._wakeup(event) for event in others])
        await self._wakeups.handed_over(events)

    def _wakeup(self, event: Event) -> Wakeup:
        delay = self._clock.real_time_until(event.due_at)
        return Wakeup(
            agent_id=event.agent_id or "",
            sequence=event.sequence,
            # Never before the moment: rounded up.
            delay_ms=-(-delay // timedelta(milliseconds=1)),
            key=f"{event.id} {event.due_at.isoformat()}",
        )
