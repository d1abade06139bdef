"""What happens again and again, over restarts and long silences."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.lent_storages import LendStorage

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.models import Event, EventTemplate
from puppet_engine.core.schedules import Recurrence
from puppet_engine.events.engine import EventEngine
from puppet_engine.events.memory_store import InMemoryEventStore
from puppet_engine.storage.base import EventStore
from puppet_engine.storage.events import StoredEvents

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHIME = EventTemplate(type="chime", payload={"says": "cuckoo"})


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture(params=["memory", "rows"])
async def store(
    request: pytest.FixtureRequest, lend_storage: LendStorage, clock: VirtualClock
) -> EventStore:
    if request.param == "memory":
        return InMemoryEventStore(clock=clock)
    return StoredEvents(await lend_storage(clock=clock, kind="file"))


async def chimes(store: EventStore) -> list[datetime]:
    return [event.due_at for event in await store.recent(limit=100)]


async def test_a_schedule_comes_at_each_of_its_moments(
    store: EventStore, clock: VirtualClock
) -> None:
    engine = EventEngine(store=store, clock=clock)
    schedule = await engine.schedule_every(Recurrence(cron="0 * * * *"), CHIME)

    await engine.run_until(START + 3 * HOUR)

    assert await chimes(store) == [START + n * HOUR for n in (1, 2, 3)]
    (pending,) = await store.pending()
    assert (pending.due_at, pending.payload) == (START + 4 * HOUR, {"says": "cuckoo"})
    (listed,) = await engine.schedules()
    assert (listed.id, listed.next_at) == (schedule.id, START + 4 * HOUR)


async def test_what_was_missed_comes_once_and_then_the_next_moment_ahead(
    store: EventStore, clock: VirtualClock
) -> None:
    await EventEngine(store=store, clock=clock).schedule_every(Recurrence(every=HOUR), CHIME)
    clock.advance(50 * HOUR + timedelta(minutes=10))

    engine = EventEngine(store=store, clock=clock)
    await engine.run_until(START + 51 * HOUR)

    assert await chimes(store) == [START + HOUR, START + 51 * HOUR]


async def test_an_occurrence_that_is_taken_again_after_a_kill_plans_nothing_twice(
    store: EventStore, clock: VirtualClock
) -> None:
    engine = EventEngine(store=store, clock=clock)
    schedule = await engine.schedule_every(Recurrence(every=HOUR), CHIME)
    (first,) = await store.pending()
    moment = START + 2 * HOUR
    draft = first.model_copy(update={"due_at": moment})

    planned = await store.plan_next(first, next_at=moment, draft=draft)
    again = await store.plan_next(first, next_at=moment, draft=draft)

    assert planned is not None
    assert again is None
    assert [event.id for event in await store.pending()] == [first.id, planned.id]
    assert planned.schedule_id == schedule.id


async def test_a_schedule_that_ends_is_over(store: EventStore, clock: VirtualClock) -> None:
    engine = EventEngine(store=store, clock=clock)
    twice = Recurrence(every=HOUR, ends_at=START + 2 * HOUR)
    await engine.schedule_every(twice, CHIME)

    await engine.run_until(START + 9 * HOUR)

    assert await chimes(store) == [START + HOUR, START + 2 * HOUR]
    assert await engine.schedules() == []
    assert await store.pending() == []


async def test_a_rule_that_never_comes_true_is_refused(
    store: EventStore, clock: VirtualClock
) -> None:
    engine = EventEngine(store=store, clock=clock)

    with pytest.raises(ConfigurationError, match="never comes true"):
        await engine.schedule_every(Recurrence(every=HOUR, ends_at=START), CHIME)

    assert await store.pending() == []


async def test_schedules_are_listed_in_pages(store: EventStore, clock: VirtualClock) -> None:
    engine = EventEngine(store=store, clock=clock)
    made = [await engine.schedule_every(Recurrence(every=HOUR), CHIME) for _ in range(3)]

    page = await engine.schedules(limit=2)
    rest = await engine.schedules(after=page[-1].id, limit=2)

    assert [each.id for each in (*page, *rest)] == sorted(each.id for each in made)


async def test_an_occurrence_can_be_dropped_without_ending_its_schedule(
    store: EventStore, clock: VirtualClock
) -> None:
    engine = EventEngine(store=store, clock=clock)
    await engine.schedule_every(Recurrence(every=HOUR), CHIME)
    (occurrence,) = await store.pending()

    assert await engine.cancel(occurrence.id)
    await engine.run_until(START + 3 * HOUR)

    assert await chimes(store) == [START + 2 * HOUR, START + 3 * HOUR]


async def test_a_schedule_can_be_ended_between_two_occurrences(
    store: EventStore, clock: VirtualClock
) -> None:
    engine = EventEngine(store=store, clock=clock)
    schedule = await engine.schedule_every(Recurrence(every=HOUR), CHIME)
    await engine.run_until(START + HOUR)

    assert await engine.cancel(schedule.id)
    await engine.run_until(START + 9 * HOUR)

    assert await chimes(store) == [START + HOUR]


async def test_a_seed_gives_the_same_delays(clock: VirtualClock) -> None:
    async def delays(seed: int) -> list[datetime]:
        own = VirtualClock(START)
        engine = EventEngine(clock=own, ids=seeded_ids(1), seed=seed)
        rule = Recurrence(every=HOUR, jitter=timedelta(minutes=20))
        await engine.schedule_every(rule, CHIME)
        await engine.run_until(START + 5 * HOUR)
        return [event.due_at for event in await engine.recent(limit=9)]

    same, again, other = await delays(1), await delays(1), await delays(2)

    assert same == again
    assert same != other
    assert len(same) >= 4


async def test_a_long_turn_lets_at_most_one_occurrence_wait(clock: VirtualClock) -> None:
    clock.factor = 36_000
    engine = EventEngine(clock=clock, concurrency=4)
    waiting: list[int] = []

    async def hear(event: Event) -> None:
        waiting.append(len([e for e in await engine.as_of(clock.now()) if e.event.schedule_id]))

    engine.subscribe("chime", hear)
    await engine.schedule_every(Recurrence(every=HOUR), CHIME)
    await engine.start()
    while len(waiting) < 3:  # noqa: ASYNC110 - the test's own timeout ends it
        await asyncio.sleep(0.01)
    await engine.stop()

    assert max(waiting) <= 2
