"""When something happens again, and what daylight saving time does to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.schedules import Recurrence
from puppet_engine.events.recurrence import delayed, next_moment

VIENNA = "Europe/Vienna"
"""On 29 March 2026 its clocks skip 2:00 to 3:00; on 25 October they show it twice."""


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type] # year, month, day …


def first(rule: Recurrence, origin: datetime, how_many: int = 4) -> list[datetime]:
    found: list[datetime] = []
    moment: datetime | None = origin
    while len(found) < how_many and moment is not None:
        moment = next_moment(rule, after=moment, origin=origin)
        if moment is not None:
            found.append(moment)
    return found


DAILY_AT_HALF_PAST_TWO = {
    "cron": Recurrence(cron="30 2 * * *", timezone=VIENNA),
    "rrule": Recurrence(rrule="FREQ=DAILY;BYHOUR=2;BYMINUTE=30;BYSECOND=0", timezone=VIENNA),
}


def test_cron_comes_right_after_a_gap() -> None:
    found = first(DAILY_AT_HALF_PAST_TWO["cron"], at(2026, 3, 28), 3)

    assert found == [at(2026, 3, 28, 1, 30), at(2026, 3, 29, 1), at(2026, 3, 30, 0, 30)]


def test_an_rrule_comes_so_much_later_as_a_gap_is_long() -> None:
    found = first(DAILY_AT_HALF_PAST_TWO["rrule"], at(2026, 3, 28), 3)

    assert found == [at(2026, 3, 28, 1, 30), at(2026, 3, 29, 1, 30), at(2026, 3, 30, 0, 30)]


@pytest.mark.parametrize("kind", ["cron", "rrule"])
def test_a_time_that_the_clock_shows_twice_comes_once(kind: str) -> None:
    found = first(DAILY_AT_HALF_PAST_TWO[kind], at(2026, 10, 24), 3)

    assert found == [at(2026, 10, 24, 0, 30), at(2026, 10, 25, 0, 30), at(2026, 10, 26, 1, 30)]


def test_a_cron_of_every_half_hour_goes_on_through_both() -> None:
    rule = Recurrence(cron="*/30 * * * *", timezone=VIENNA)

    found = first(rule, at(2026, 10, 24, 23, 40), 5)

    assert found == [at(2026, 10, 25) + n * timedelta(minutes=30) for n in range(5)]


def test_a_span_is_elapsed_time_whatever_the_clocks_show() -> None:
    rule = Recurrence(every=timedelta(hours=24), timezone=VIENNA)

    found = first(rule, at(2026, 3, 27, 11), 3)

    assert found == [at(2026, 3, 28, 11), at(2026, 3, 29, 11), at(2026, 3, 30, 11)]


def test_a_working_day_at_nine_is_nine_in_summer_and_in_winter() -> None:
    rule = Recurrence(cron="0 9 * * 1-5", timezone="America/New_York")

    assert first(rule, at(2026, 1, 9, 15), 1) == [at(2026, 1, 12, 14)]
    assert first(rule, at(2026, 7, 10, 15), 1) == [at(2026, 7, 13, 13)]


def test_an_rrule_counts_from_its_start_and_ends() -> None:
    start = at(2026, 1, 30, 10)
    rule = Recurrence(rrule="FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", starts_at=start)

    assert first(rule, at(2026, 1, 1)) == [at(2026, 1, 31, 10), at(2026, 2, 28, 10)]


def test_a_start_is_the_first_time_and_an_end_the_last_possible() -> None:
    rule = Recurrence(
        every=timedelta(hours=1), starts_at=at(2026, 1, 2), ends_at=at(2026, 1, 2, 2)
    )

    assert first(rule, at(2026, 1, 1)) == [at(2026, 1, 2), at(2026, 1, 2, 1), at(2026, 1, 2, 2)]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"cron": "61 * * * *"}, "Bad minute"),
        ({"cron": "0 0 30 2 *"}, "Bad day-of-month"),
        ({"cron": "@daily"}, "Wrong number of fields"),
        ({"rrule": "FREQ=SOMETIMES"}, "cannot be read"),
        ({"rrule": "every day"}, "cannot be read"),
        ({"rrule": "FREQ=SECONDLY"}, "is `every` or `cron`"),
        ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "cannot be read"),
    ],
)
def test_a_rule_that_cannot_be_read_says_why(rule: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        next_moment(Recurrence(**rule), after=at(2026, 1, 1), origin=at(2026, 1, 1))


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"every": timedelta(hours=1), "cron": "* * * * *"},
        {"every": timedelta(0)},
        {"cron": "* * * * *", "timezone": "Europe/Viena"},
    ],
)
def test_a_recurrence_has_exactly_one_rule_and_a_known_time_zone(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Recurrence(**rule)


rules = st.one_of(
    st.builds(
        Recurrence,
        every=st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=3)),
    ),
    st.builds(
        lambda minute, hour, zone: Recurrence(cron=f"{minute} {hour} * * *", timezone=zone),
        st.integers(0, 59),
        st.integers(0, 23),
        st.sampled_from([VIENNA, "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
    ),
    st.builds(
        lambda freq, interval, zone: Recurrence(
            rrule=f"FREQ={freq};INTERVAL={interval}", timezone=zone
        ),
        st.sampled_from(["HOURLY", "DAILY", "WEEKLY"]),
        st.integers(1, 9),
        st.sampled_from([VIENNA, "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
    ),
)
moments = st.integers(0, 365 * 24 * 3600).map(
    lambda seconds: at(2026, 1, 1) + timedelta(seconds=seconds)
)


@settings(deadline=None)  # a rule may walk through a year
@given(rules, moments, st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=300)))
def test_the_next_moment_is_ahead_and_nothing_lies_between(
    rule: Recurrence, origin: datetime, passed: timedelta
) -> None:
    now = origin + passed

    found = next_moment(rule, after=now, origin=origin)

    assert found is not None
    assert found > now
    # Asked from anywhere between, the answer is the same: it does not depend on the way there.
    between = now + (found - now) / 2
    assert next_moment(rule, after=between, origin=origin) == found


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=31)), st.text())
def test_jitter_is_late_within_its_bound_and_the_same_for_a_seed(
    jitter: timedelta, seed: str
) -> None:
    rule = Recurrence(every=timedelta(hours=1), jitter=jitter)
    moment = at(2026, 1, 1)

    due = delayed(rule, moment, seed=seed)

    assert moment <= due <= moment + jitter
    assert delayed(rule, moment, seed=seed) == due


def test_jitter_differs_from_moment_to_moment() -> None:
    rule = Recurrence(every=timedelta(hours=1), jitter=timedelta(minutes=10))

    late = {delayed(rule, moment, seed="7") - moment for moment in first(rule, at(2026, 1, 1), 10)}

    assert len(late) == 10
