"""Our event engine: dispatching, waking up, and a million timers."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import timedelta

import psutil
from benchmarks.contenders.latencies import DELAY, SAMPLES, far_ahead, percentile
from benchmarks.contenders.queued_events import queued
from benchmarks.harness.stage import Facts, Stage, Trial
from typing_extensions import override

from puppet_engine.core.clock import SystemClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Event, EventDraft, EventTemplate, Priority
from puppet_engine.events.base import Consumer
from puppet_engine.events.engine import EventEngine
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage

BATCH = 10_000


class _Counter(Consumer):
    """Settles nothing and does nothing, as the peers do."""

    def __init__(self) -> None:
        self.taken = 0

    @override
    def takes(self, event: Event) -> bool:
        return True

    @override
    async def consume(self, event: Event) -> bool:
        self.taken += 1
        return True

    @override
    async def abandon(self, event: Event, *, error: str) -> None: ...


@contextlib.contextmanager
def dispatch(stage: Stage) -> Iterator[Trial]:
    """Take events that are queued: four priorities with ageing, a thousand agents in turn."""
    clock, counter = SystemClock(), _Counter()
    engine = EventEngine(clock=clock)
    engine.consume_with(counter)
    now = clock.now()
    drafts = [
        EventDraft(type="noted", due_at=now, agent_id=agent, priority=Priority(priority))
        for agent, priority in queued(stage.size)
    ]
    with asyncio.Runner() as runner:
        runner.run(engine.publish(*drafts))
        yield Trial(
            work=lambda: runner.run(engine.run_until(clock.now())),
            check=lambda: {"dispatched": counter.taken},
        )


@contextlib.contextmanager
def tell(stage: Stage) -> Iterator[Trial]:
    """Tell a listener of events that are queued, and keep their history."""
    clock, heard = SystemClock(), []
    engine = EventEngine(clock=clock)
    now = clock.now()
    drafts = [
        EventDraft(type="noted", due_at=now, agent_id=agent, priority=Priority(priority))
        for agent, priority in queued(stage.size)
    ]

    async def hear(event: Event) -> None:
        heard.append(event)

    with asyncio.Runner() as runner:
        runner.run(engine.publish(*drafts))
        engine.subscribe("*", hear)
        yield Trial(
            work=lambda: runner.run(engine.run_until(clock.now())),
            check=lambda: {"dispatched": len(heard)},
        )


# ------------------------------------------------------------------ waking up


@contextlib.contextmanager
def wake_up(stage: Stage) -> Iterator[Trial]:
    """Measure how late events are taken while so many timers are pending in memory."""
    engine = EventEngine(clock=SystemClock())
    facts: dict[str, float] = {}

    async def prepare() -> None:
        now = SystemClock().now()
        await engine.publish(
            *(
                EventDraft(type="timer", due_at=now + far_ahead(n), agent_id=f"agent-{n}")
                for n in range(stage.size)
            )
        )
        await engine.start()

    with asyncio.Runner() as runner:
        runner.run(prepare())
        yield Trial(work=lambda: runner.run(_latencies(engine, facts)), check=lambda: facts)
        runner.run(engine.stop())


class _Waker(Consumer):
    """Notes how late each event is when it is taken, and settles it."""

    def __init__(self, engine: EventEngine) -> None:
        self._engine = engine
        self.late: dict[str, list[float]] = {"queued": [], "scheduled": []}
        self.came = asyncio.Event()

    @override
    def takes(self, event: Event) -> bool:
        return event.type in self.late

    @override
    async def consume(self, event: Event) -> bool:
        late = (SystemClock().now() - event.due_at) / timedelta(milliseconds=1)
        self.late[event.type].append(late)
        await self._engine.settle(event)
        self.came.set()
        return True

    @override
    async def abandon(self, event: Event, *, error: str) -> None: ...


async def _latencies(engine: EventEngine, facts: dict[str, float]) -> None:
    """Publish events that are due now, and some that are due soon; note how late each comes."""
    waker = _Waker(engine)
    engine.consume_with(waker)
    for _ in range(SAMPLES):
        for kind in waker.late:
            waker.came.clear()
            template = EventTemplate(type=kind, agent_id="waker")
            await engine.schedule_after(DELAY[kind], template)
            await waker.came.wait()
    for kind, measured in waker.late.items():
        facts[f"{kind}_p50"] = percentile(measured, 50)
        facts[f"{kind}_p99"] = percentile(measured, 99)
    facts["measured"] = sum(map(len, waker.late.values()))


# ------------------------------------------------------------------ a million timers


@contextlib.contextmanager
def fill(stage: Stage) -> Iterator[Trial]:
    """Schedule one event for each of so many agents, far ahead."""

    async def work() -> None:
        storage = Storage(stage.database_url, clock=SystemClock(), ids=random_id)
        await storage.open()
        store, now = StoredEvents(storage), SystemClock().now()
        for begin in range(0, stage.size, BATCH):
            numbers = range(begin, min(begin + BATCH, stage.size))
            await store.append(
                [
                    EventDraft(type="timer", due_at=now + far_ahead(n), agent_id=f"agent-{n}")
                    for n in numbers
                ]
            )
        await storage.close()

    yield Trial(work=lambda: asyncio.run(work()), check=dict)


@contextlib.contextmanager
def start(stage: Stage) -> Iterator[Trial]:
    """Start an engine on a database of so many timers; then see how late some come."""
    storage = Storage(stage.database_url, clock=SystemClock(), ids=random_id)
    engines: list[EventEngine] = []

    async def work() -> None:
        await storage.open()
        engine = EventEngine(store=StoredEvents(storage), clock=SystemClock())
        await engine.start()
        engines.append(engine)

    async def watch() -> Facts:
        facts: dict[str, float] = {}
        await _latencies(engines[0], facts)
        facts["resident_mib"] = psutil.Process().memory_info().rss / 1024 / 1024
        await engines[0].stop()
        await storage.close()
        return facts

    with asyncio.Runner() as runner:
        yield Trial(work=lambda: runner.run(work()), check=lambda: runner.run(watch()))
