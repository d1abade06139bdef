import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import (
    BacklogFullError,
    NetworkUnavailableError,
    NotRunningError,
    RateLimitedError,
)
from puppet_engine.core.history import HistoryQuery
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Event, EventDraft
from puppet_engine.events.base import Consumer
from puppet_engine.events.dispatcher import ATTEMPTS
from puppet_engine.events.engine import EventEngine
from puppet_engine.events.memory_store import InMemoryEventStore
from puppet_engine.storage.base import EventStore
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Script(Consumer):
    """Does what a test says, and settles in the store as a consumer must."""

    def __init__(self, store: EventStore, action: Callable[[Event], Awaitable[None]]) -> None:
        self.store = store
        self.action = action
        self.abandoned: list[str] = []

    @override
    def takes(self, event: Event) -> bool:
        return event.agent_id is not None

    @override
    async def consume(self, event: Event) -> bool:
        await self.action(event)
        await self.store.settle(event)
        return True

    @override
    async def abandon(self, event: Event, *, error: str) -> None:
        self.abandoned.append(error)
        await self.store.settle(event, error=error)


class Life:
    """An engine over a clock and a store that a test can look into."""

    def __init__(
        self, action: Callable[[Event], Awaitable[None]], *, concurrency: int = 1
    ) -> None:
        self.clock = VirtualClock(START)
        self.store = InMemoryEventStore()
        self.engine = EventEngine(store=self.store, clock=self.clock, concurrency=concurrency)
        self.script = Script(self.store, action)
        self.engine.consume_with(self.script)

    def draft(
        self, *, hours: float = 0, agent: str | None = "ada", kind: str = "post.due"
    ) -> EventDraft:
        return EventDraft(type=kind, due_at=START + hours * HOUR, agent_id=agent)


async def test_events_are_taken_at_their_moment_in_the_order_of_due_and_sequence() -> None:
    taken: list[tuple[str | None, float]] = []

    async def note(event: Event) -> None:
        taken.append((event.agent_id, (life.clock.now() - START) / HOUR))

    life = Life(note)
    drafts = [life.draft(hours=h, agent=a) for h, a in [(2, "ada"), (1, "bob"), (1, "ada")]]
    await life.engine.publish(*drafts)

    await life.engine.run_until(START + 3 * HOUR)

    assert taken == [("bob", 1), ("ada", 1), ("ada", 2)]
    assert life.clock.now() == START + 3 * HOUR


async def test_what_is_due_later_stays_pending() -> None:
    async def nothing(event: Event) -> None: ...

    life = Life(nothing)
    await life.engine.publish(life.draft(hours=5))

    await life.engine.run_until(START + HOUR)

    assert len(await life.store.pending()) == 1


async def test_an_event_published_during_a_wait_for_a_later_one_comes_first() -> None:
    taken: list[str] = []

    async def note(event: Event) -> None:
        taken.append(event.type)

    life = Life(note)
    life.clock.factor = 3600
    await life.engine.publish(life.draft(hours=1, kind="late"))
    await life.engine.start()
    await asyncio.sleep(0.05)
    await life.engine.publish(life.draft(hours=0.3, kind="early"))

    while len(taken) < 2:  # noqa: ASYNC110 - the test's own timeout ends it
        await asyncio.sleep(0.01)
    await life.engine.stop()

    assert taken == ["early", "late"]


async def test_a_failing_event_comes_again_later_and_later_and_is_then_given_up() -> None:
    moments: list[timedelta] = []

    async def fail(event: Event) -> None:
        moments.append(life.clock.now() - START)
        raise ValueError("no luck")

    life = Life(fail)
    await life.engine.publish(life.draft())

    await life.engine.run_until(START + HOUR)

    assert len(moments) == ATTEMPTS
    gaps = [(b - a).total_seconds() for a, b in pairwise(moments)]
    assert gaps == [30, 60, 120, 240]
    assert life.script.abandoned == ["ValueError: no luck"]
    assert [e.type for e in await life.engine.recent(limit=9)] == ["post.due", "agent.failed"]
    assert life.engine.failed_turns == ATTEMPTS


async def test_an_event_that_was_settled_before_its_turn_failed_does_not_come_again() -> None:
    taken: list[str] = []

    async def settle_and_fail(event: Event) -> None:
        taken.append(event.id)
        await life.store.settle(event)
        raise KeyError("an answer without an id")

    life = Life(settle_and_fail)
    await life.engine.publish(life.draft())

    await life.engine.run_until(START + 24 * HOUR)

    assert len(taken) == 1
    assert life.engine.failed_turns == 1


async def test_a_rate_limited_event_waits_for_the_limit_to_end() -> None:
    moments: list[datetime] = []

    async def limited(event: Event) -> None:
        moments.append(life.clock.now())
        if len(moments) == 1:
            raise RateLimitedError("x", resets_at=START + timedelta(minutes=15))

    life = Life(limited)
    await life.engine.publish(life.draft())

    await life.engine.run_until(START + HOUR)

    assert moments == [START, START + timedelta(minutes=15)]


async def test_one_agent_is_never_in_two_turns_while_others_go_on() -> None:
    under_way: set[str] = set()
    together: list[int] = []

    async def overlap(event: Event) -> None:
        assert event.agent_id is not None
        assert event.agent_id not in under_way
        under_way.add(event.agent_id)
        await asyncio.sleep(0.005)
        together.append(len(under_way))
        under_way.discard(event.agent_id)

    life = Life(overlap, concurrency=3)
    drafts = [life.draft(agent=agent) for agent in ("ada", "bob", "cy") for _ in range(3)]
    await life.engine.publish(*drafts)

    await life.engine.run_until(START)

    assert len(together) == 9
    assert max(together) > 1


async def test_a_listener_that_raises_or_hangs_harms_nobody_else() -> None:
    heard: list[str] = []

    async def raise_(event: Event) -> None:
        raise RuntimeError("not today")

    async def hang(event: Event) -> None:
        await asyncio.Event().wait()

    async def hear(event: Event) -> None:
        heard.append(event.type)

    async def nothing(event: Event) -> None: ...

    life = Life(nothing)
    ends = [life.engine.subscribe("*", listener) for listener in (raise_, hang, hear)]
    await life.engine.publish(life.draft(), life.draft(hours=1, agent=None, kind="noted"))

    await life.engine.run_until(START + HOUR)

    assert heard == ["post.due", "noted"]
    for end in ends:
        end()


@pytest.mark.parametrize(
    ("error", "is_known"),
    [(NetworkUnavailableError("no answer: is it there?"), True), (KeyError("x"), False)],
)
async def test_what_is_known_to_fail_is_told_in_a_line_and_what_nobody_foresaw_with_its_place(
    error: Exception, is_known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(event: Event) -> None:
        raise error

    life = Life(fail)
    await life.engine.publish(life.draft())
    with caplog.at_level(logging.INFO):
        await life.engine.run_until(START + timedelta(seconds=1))

    [told] = [one for one in caplog.records if "failed" in one.getMessage()]
    assert f"{type(error).__name__}: {error}" in told.getMessage()
    assert (told.exc_info is None) == is_known


async def test_one_that_hangs_harms_nobody_while_more_happens_than_its_buffer_holds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[int] = []
    go_on, all_heard = asyncio.Event(), asyncio.Event()

    async def hang(event: Event) -> None:
        await go_on.wait()

    async def hear(event: Event) -> None:
        heard.append(event.sequence)
        if len(heard) == 12_000:
            all_heard.set()

    async def nothing(event: Event) -> None: ...

    life = Life(nothing)
    ends = [life.engine.subscribe("*", listener) for listener in (hang, hear)]
    published = await life.engine.publish(*(life.draft(agent=None) for _ in range(12_000)))
    await life.engine.start()
    await all_heard.wait()
    go_on.set()
    await life.engine.stop()

    assert heard == [event.sequence for event in published]
    assert "10000 events behind and misses what comes" in caplog.text
    for end in ends:
        end()


async def test_a_cancelled_event_never_happens() -> None:
    async def forbid(event: Event) -> None:
        raise AssertionError

    life = Life(forbid)
    (event,) = await life.engine.publish(life.draft())

    assert await life.engine.cancel(event.id)
    await life.engine.run_until(START + HOUR)

    assert life.engine.failed_turns == 0
    assert not await life.engine.cancel(event.id)


async def test_an_event_under_way_can_no_longer_be_cancelled() -> None:
    cancelled = []

    async def cancel_itself(event: Event) -> None:
        cancelled.append(await life.engine.cancel(event.id))

    life = Life(cancel_itself)
    await life.engine.publish(life.draft())

    await life.engine.run_until(START)

    assert cancelled == [False]
    assert [event.type for event in await life.engine.recent(limit=9)] == ["post.due"]


async def test_what_failed_after_it_became_fact_is_neither_repeated_nor_given_up() -> None:
    async def settle_then_fail(event: Event) -> None:
        await life.store.settle(event)
        raise KeyError("an odd answer")

    life = Life(settle_then_fail)
    (event,) = await life.store.append([life.draft()])
    worn_out = event.model_copy(update={"failures": ATTEMPTS - 1})
    await life.store.postpone(worn_out, error="no luck")

    await life.engine.run_until(START + HOUR)

    assert life.script.abandoned == []


async def test_stopping_lets_the_turn_under_way_come_to_its_end() -> None:
    ended = []

    async def slowly(event: Event) -> None:
        await asyncio.sleep(0.05)
        ended.append(event)

    life = Life(slowly)
    await life.engine.publish(life.draft())
    await life.engine.start()
    await asyncio.sleep(0.01)

    await life.engine.stop()

    assert len(ended) == 1
    assert not life.engine.is_running


async def test_what_another_engine_left_pending_is_taken_up() -> None:
    taken: list[str] = []

    async def note(event: Event) -> None:
        taken.append(event.id)

    life = Life(note)
    (left,) = await life.store.append([life.draft()])

    await life.engine.run_until(START)

    assert taken == [left.id]


async def test_a_broken_store_ends_the_engine_and_join_says_so() -> None:
    class Broken(InMemoryEventStore):
        @override
        async def settle(self, event: Event, *, error: str = "") -> None:
            raise OSError("the disk is full")

        @override
        async def postpone(self, event: Event, *, error: str) -> bool:
            raise OSError("the disk is full")

    engine = EventEngine(store=Broken(), clock=VirtualClock(START))
    await engine.publish(EventDraft(type="noted", due_at=START))
    await engine.start()

    with pytest.raises(OSError, match="disk is full"):
        await asyncio.wait_for(engine.join(), timeout=5)
    await engine.stop()


async def test_joining_an_engine_that_was_not_started_is_refused() -> None:
    with pytest.raises(NotRunningError, match=r"await start\(\) first"):
        await EventEngine().join()


async def test_a_watcher_sees_everything_that_happens_from_then_on() -> None:
    async def nothing(event: Event) -> None: ...

    life = Life(nothing)
    await life.engine.publish(life.draft(kind="before"))
    await life.engine.run_until(START)
    async with life.engine.watch() as events:
        await life.engine.publish(life.draft(kind="after"))
        await life.engine.run_until(START)

        assert (await anext(aiter(events))).type == "after"


async def test_no_more_is_taken_than_may_wait_and_nothing_of_it_is_kept() -> None:
    clock = VirtualClock(START)
    engine = EventEngine(clock=clock, most_waiting=3)
    draft = EventDraft(type="noted", due_at=START)
    await engine.publish(draft, draft)

    with pytest.raises(BacklogFullError, match="2 events wait, and with 2 more there were over 3"):
        await engine.publish(draft, draft)
    await engine.run_until(START)

    assert len(await engine.recent(limit=9)) == 2
    await engine.publish(draft, draft)


async def test_over_a_database_only_what_is_due_counts_as_waiting(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    storage = Storage(f"sqlite:///{tmp_path}/events.db", clock=clock, ids=random_id)
    await storage.open()
    engine = EventEngine(store=StoredEvents(storage), clock=clock, most_waiting=3)
    later = EventDraft(type="noted", due_at=START + HOUR)
    await engine.publish(*[later] * 10)
    now = EventDraft(type="noted", due_at=START)
    await engine.publish(now, now, now)

    with pytest.raises(BacklogFullError):
        await engine.publish(now)

    await engine.run_until(START + HOUR)
    assert len(await engine.recent(limit=99)) == 13
    await storage.close()


async def test_of_many_rows_only_a_window_is_held_and_each_comes_at_its_moment(
    tmp_path: Path,
) -> None:
    clock = VirtualClock(START)
    storage = Storage(f"sqlite:///{tmp_path}/events.db", clock=clock, ids=random_id)
    await storage.open()
    store = StoredEvents(storage)
    minute = timedelta(minutes=1)
    drafts = [
        EventDraft(type="noted", due_at=START + n % 50 * minute, agent_id=f"a{n % 9}")
        for n in range(1_000)
    ]
    await store.append(drafts)
    engine = EventEngine(store=store, clock=clock, window=32)
    came: list[tuple[datetime, datetime]] = []

    async def note(event: Event) -> None:
        came.append((event.due_at, clock.now()))
        await store.settle(event)

    engine.consume_with(Script(store, note))
    await engine.load()
    held = len(engine._agenda)

    await engine.run_until(START + HOUR)

    assert held <= 64
    assert len(came) == 1_000
    assert all(due_at == at for due_at, at in came)
    await storage.close()


async def test_what_was_over_long_ago_is_let_go_of_but_not_dead_letters(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    storage = Storage(f"sqlite:///{tmp_path}/events.db", clock=clock, ids=random_id)
    await storage.open()
    store = StoredEvents(storage)
    day = 24 * HOUR
    done, dead, cancelled = await store.append([EventDraft(type="noted", due_at=START)] * 3)
    await store.settle(done)
    await store.settle(dead, error="no luck")
    await store.cancel(cancelled.id)
    engine = EventEngine(store=store, clock=clock, retention=30 * day)
    await engine.publish(
        *(EventDraft(type="noted", due_at=START + n * day) for n in (1, 29, 31, 32))
    )

    await engine.run_until(START + 32 * day)

    kept = [r.event.due_at for r in await engine.history(HistoryQuery())]
    assert kept == [START + n * day for n in (32, 31, 29)] + [START]
    assert [r.event.id for r in await engine.dead_letters()] == [dead.id]
    await storage.close()
