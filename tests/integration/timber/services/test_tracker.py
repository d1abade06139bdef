"""What the tracker promises, on every database, to threads and to the event loop."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import func, select
from tests.integration.timber.services.conftest import Ask

from timber.common.errors import (
    BufferClosedError,
    InvalidRequestError,
    InvalidValueError,
    RecordNotFoundError,
    UserNotFoundError,
)
from timber.common.persistence.buckets import edges, zone_of
from timber.common.persistence.manager import PersistenceManager
from timber.common.persistence.tracker import TrackerService
from timber.common.runtime import Timber
from timber.testing.clock import FrozenClock

pytestmark = pytest.mark.integration


@pytest.fixture
def tracker(manager: PersistenceManager) -> TrackerService:
    return manager.tracker


def test_an_event_is_read_as_it_was_stored(
    ask: Ask, tracker: TrackerService, frozen: FrozenClock
) -> None:
    key = ask(tracker.track_event, "ada", "view", {"page": "/"})

    found = ask(tracker.get_event, key)
    assert (found.user_id, found.event_type, found.event_data) == ("ada", "view", {"page": "/"})
    assert found.occurred_at == frozen.now()
    with pytest.raises(RecordNotFoundError, match="event not found"):
        ask(tracker.get_event, "no such")
    with pytest.raises(UserNotFoundError):
        ask(tracker.track_event, "nobody", "view")


def test_events_come_in_pages_the_newest_first(
    ask: Ask, tracker: TrackerService, frozen: FrozenClock
) -> None:
    start = frozen.now()
    keys = [
        ask(tracker.track_event, "ada", "a" if n % 2 else "b", occurred_at=start + n // 2 * HOUR)
        for n in range(5)
    ]
    ask(tracker.track_event, "bob", "a")

    found: list[str] = []
    cursor = None
    while not found or cursor:
        page = ask(tracker.get_user_events, "ada", 2, cursor=cursor)
        found += [one.id for one in page]
        cursor = page.next_cursor

    assert found == keys[::-1]
    some = ask(tracker.get_user_events, "ada", event_type="b", since=start + HOUR)
    assert [one.id for one in some] == [keys[4], keys[2]]
    assert [one.id for one in ask(tracker.get_user_events, "ada", until=start + HOUR)] == [
        keys[1],
        keys[0],
    ]
    assert ask(tracker.count_by_type, user_id="ada") == {"a": 2, "b": 3}
    assert ask(tracker.count_by_type, since=start + HOUR) == {"a": 1, "b": 2}


HOUR = timedelta(hours=1)
moments = st.datetimes(
    datetime(1965, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
) | st.sampled_from(
    [
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_900, tzinfo=UTC),
    ]
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    since=moments,
    offsets=st.lists(st.timedeltas(-2 * HOUR, 500 * HOUR), max_size=5),
    length=st.timedeltas(timedelta(microseconds=1), 400 * HOUR),
    unit=st.sampled_from(["hour", "day", "week", "month", "year"]),
    zone=st.sampled_from(
        ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo", "Australia/Lord_Howe"]
    ),
)
def test_buckets_hold_what_a_count_by_hand_finds(
    timber: Timber,
    since: datetime,
    offsets: list[timedelta],
    length: timedelta,
    unit: Any,
    zone: str,
) -> None:
    until, happened = since + length, [since + offset for offset in offsets]
    model = timber.models.get("TrackedEvent")
    with timber.database.session_scope() as session:
        session.execute(model.__table__.delete())
        session.add_all(model(user_id="ada", event_type="a", occurred_at=one) for one in happened)

    found = timber.persistence.tracker.count_by_time(unit, since=since, until=until, timezone=zone)

    counted = [one for one in happened if since <= one < until]
    assert [one.count for one in found] == [
        sum(bucket.start <= one < bucket.end for one in counted) for bucket in found
    ]
    assert sum(one.count for one in found) == len(counted)
    assert found[0].start <= since < found[0].end
    assert found[-1].start < until <= found[-1].end


def at(*clock: int) -> datetime:
    return datetime(*clock, tzinfo=UTC)  # type: ignore[arg-type, misc]  # year, month, day, …


@pytest.mark.parametrize(
    ("since", "until", "unit", "expected"),
    [
        # Berlin's clocks go forward on 29 March 2026: the day has 23 hours.
        (
            at(2026, 3, 28, 23, 30),
            at(2026, 3, 30),
            "day",
            [at(2026, 3, 28, 23), at(2026, 3, 29, 22), at(2026, 3, 30, 22)],
        ),
        # … and back on 25 October: it has 25, and two that are called 2.
        (
            at(2026, 10, 24, 22),
            at(2026, 10, 25, 23),
            "day",
            [at(2026, 10, 24, 22), at(2026, 10, 25, 23)],
        ),
        (
            at(2026, 10, 25, 0, 10),
            at(2026, 10, 25, 2),
            "hour",
            [at(2026, 10, 25, 0), at(2026, 10, 25, 1), at(2026, 10, 25, 2)],
        ),
        (
            at(2026, 1, 4, 12),
            at(2026, 1, 6),
            "week",
            [at(2025, 12, 28, 23), at(2026, 1, 4, 23), at(2026, 1, 11, 23)],
        ),
        (
            at(2025, 12, 31, 23),
            at(2026, 2, 1),
            "month",
            [at(2025, 12, 31, 23), at(2026, 1, 31, 23), at(2026, 2, 28, 23)],
        ),
        (
            at(2025, 12, 31, 22),
            at(2026, 1, 1),
            "year",
            [at(2024, 12, 31, 23), at(2025, 12, 31, 23), at(2026, 12, 31, 23)],
        ),
    ],
)
def test_buckets_begin_as_the_clocks_of_the_zone_say(
    since: datetime, until: datetime, unit: Any, expected: Sequence[datetime]
) -> None:
    assert list(edges(since, until, unit, zone_of("Europe/Berlin"))) == expected


def test_what_no_bucket_can_be_made_of_is_refused(tracker: TrackerService) -> None:
    limits: dict[str, Any] = {"since": at(2000, 1, 1), "until": at(2026, 1, 1)}
    with pytest.raises(InvalidRequestError, match="no 'Mars/Olympus'"):
        tracker.count_by_time("day", timezone="Mars/Olympus", **limits)
    unknown: Any = "fortnight"
    with pytest.raises(InvalidRequestError, match="no 'fortnight', but hour, day"):
        tracker.count_by_time(unknown, **limits)
    with pytest.raises(InvalidRequestError, match="more than 10,000"):
        tracker.count_by_time("hour", **limits)


def stored(timber: Timber) -> int:
    with timber.database.session_scope() as session:
        count = session.scalar(select(func.count()).select_from(timber.models.get("TrackedEvent")))
    return int(count or 0)


def test_a_buffer_acknowledges_what_is_committed(tracker: TrackerService, timber: Timber) -> None:
    with tracker.buffered(batch=50) as buffer, ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(lambda n: buffer.track_event("ada", "a", {"n": n}), range(500)))
        wait(taken[:1])
        assert tracker.get_event(taken[0].result()).event_type == "a"

    keys = {one.result(0) for one in taken}
    assert len(keys) == 500 == stored(timber)
    with pytest.raises(BufferClosedError, match=r"tracker_service\.buffered"):
        buffer.track_event("ada", "late")


def test_one_bad_event_of_a_batch_harms_no_other(tracker: TrackerService, timber: Timber) -> None:
    with tracker.buffered() as buffer:
        good = [buffer.track_event("ada", str(n)) for n in range(3)]
        nobody = buffer.track_event("nobody", "a")
        no_json = buffer.track_event("ada", "a", {"n": float("nan")})
        too_long = buffer.track_event("ada", "é" * 101)
        keyed = [buffer.track_event("ada", "k", idempotency_key="k") for _ in range(2)]

    assert len({one.result(0) for one in good}) == 3
    assert isinstance(nobody.exception(0), UserNotFoundError)
    assert no_json.exception(0) is not None
    if timber.database.engine.dialect.name == "postgresql":
        assert isinstance(too_long.exception(0), InvalidValueError)
    assert keyed[0].result(0) == keyed[1].result(0)
    stored_well = [one for one in (*good, too_long) if one.exception(0) is None]
    assert stored(timber) == len(stored_well) + 1


async def test_a_buffer_is_awaited_on_the_event_loop(tracker: TrackerService) -> None:
    with tracker.buffered(wait_seconds=0.01) as buffer:
        key = await asyncio.wrap_future(buffer.track_event("ada", "a"))

    assert tracker.get_event(key).event_type == "a"
