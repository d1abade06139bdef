from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from statistics import mean, median

import pytest
from hypothesis import given, strategies as st

from puppet_engine.agents.schedule import AnswerTimes, PostTimes, first_post_at, next_trade_at
from puppet_engine.core.models import Behavior, PostFrequency, TradingFrequency
from puppet_engine.core.personas import ResponseTimes

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)

spans = st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)).map(sorted)
factors = st.floats(0.5, 2)
peak_hours = st.lists(st.integers(0, 23), max_size=5)
zones = st.sampled_from(["UTC", "Asia/Kathmandu", "Europe/London", "Australia/Lord_Howe"])


def times(
    low: float,
    high: float,
    *,
    peaks: list[int] | None = None,
    zone: str = "UTC",
    factor: float = 1,
    now: datetime = NOW,
) -> PostTimes:
    frequency = PostFrequency(min_hours_between_posts=low, max_hours_between_posts=high)
    behavior = Behavior(post_frequency=frequency, peak_hours=peaks or [], timezone=zone)
    return PostTimes(behavior=behavior, now=now, factor=factor)


def uniform(shares: list[float]) -> bool:
    """Return whether shares may be uniform: Kolmogorov and Smirnov's test at 1 in 1,000."""
    found = sorted(shares)
    count = len(found)
    off = max(
        max(share - place / count, (place + 1) / count - share)
        for place, share in enumerate(found)
    )
    return bool(off < 1.95 / count**0.5)


@given(spans, st.integers(), peak_hours, factors, zones)
def test_the_next_post_is_within_the_range_of_the_persona(
    span: list[float], seed: int, peaks: list[int], factor: float, zone: str
) -> None:
    low, high = span
    due = times(low, high, peaks=peaks, factor=factor, zone=zone).sample(Random(seed))

    assert NOW + low * HOUR - MICROSECOND <= due <= NOW + high * HOUR + MICROSECOND


@given(spans, peak_hours, factors, zones, st.lists(st.floats(0, 110), min_size=2))
def test_the_likelihood_that_a_post_has_come_only_grows_and_goes_from_none_to_all(
    span: list[float], peaks: list[int], factor: float, zone: str, waits: list[float]
) -> None:
    low, high = span
    law = times(low, high, peaks=peaks, factor=factor, zone=zone)

    shares = [law.cdf(NOW + wait * HOUR) for wait in sorted(waits)]

    assert all(0 <= share <= 1 for share in shares)
    assert all(earlier <= later + 1e-9 for earlier, later in pairwise(shares))
    assert law.cdf(NOW + (low - 0.001) * HOUR) == 0
    assert law.cdf(NOW + high * HOUR + MICROSECOND) == 1


@pytest.mark.parametrize("factor", [0.5, 0.8, 1, 1.7])
@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Europe/London"])
def test_what_was_drawn_fits_the_distribution_it_was_drawn_from(factor: float, zone: str) -> None:
    # Over the nights in which clocks are changed, too.
    days = [datetime(2026, 3, 20, tzinfo=UTC) + number * 7 * HOUR for number in range(700)]
    laws = [times(2, 9, peaks=[7, 8, 20], factor=factor, zone=zone, now=day) for day in days]

    shares = [law.cdf(law.sample(Random(number))) for number, law in enumerate(laws)]

    assert uniform(shares)


def test_times_of_another_persona_do_not_fit() -> None:
    drawn_from, held_against = times(2, 9, peaks=[7, 8, 20]), times(2, 9, peaks=[12, 13])

    shares = [held_against.cdf(drawn_from.sample(Random(number))) for number in range(500)]

    assert not uniform(shares)


def test_a_hasty_mood_shortens_the_wait_and_a_slow_one_draws_it_out() -> None:
    def waits(factor: float) -> float:
        law = times(2, 12, factor=factor)
        return mean((law.sample(Random(seed)) - NOW) / HOUR for seed in range(500))

    assert waits(0.6) < 0.9 * waits(1) < 0.9 * 0.9 * waits(1.6)


def test_waits_come_in_bursts_each_doubling_is_as_likely() -> None:
    law = times(1, 16)

    waits = [(law.sample(Random(seed)) - NOW) / HOUR for seed in range(1000)]

    assert median(waits) == pytest.approx(4, rel=0.1)


def test_posts_lean_to_the_peak_hours_of_the_agents_own_time_zone() -> None:
    evening = [18, 19, 20, 21, 22, 23]

    def is_in_peak(law: PostTimes, seed: int) -> bool:
        return (law.sample(Random(seed)) + 9 * HOUR).hour in evening

    leaning = times(0.5, 23.5, peaks=evening, zone="Asia/Tokyo")
    even = times(0.5, 23.5, zone="Asia/Tokyo")
    of_leaning = sum(is_in_peak(leaning, seed) for seed in range(500))
    of_even = sum(is_in_peak(even, seed) for seed in range(500))

    assert of_leaning > 1.8 * of_even


def test_a_persona_whose_range_is_a_point_posts_at_it() -> None:
    law = times(3, 3)

    assert law.sample(Random(1)) == NOW + 3 * HOUR
    assert (law.cdf(NOW + 2.9 * HOUR), law.cdf(NOW + 3 * HOUR)) == (0, 1)


@given(st.tuples(st.floats(0, 1440), st.floats(0, 1440)).map(sorted), st.integers())
def test_an_answer_takes_as_long_as_the_persona_says(range_: list[float], seed: int) -> None:
    low, high = range_
    law = AnswerTimes(times=ResponseTimes(min_minutes=low, max_minutes=high))

    taken = law.sample(Random(seed))

    assert timedelta(minutes=low) - MICROSECOND <= taken <= timedelta(minutes=high) + MICROSECOND


@pytest.mark.parametrize("low", [0, 1])
def test_times_of_answers_fit_their_distribution(low: float) -> None:
    law = AnswerTimes(times=ResponseTimes(min_minutes=low, max_minutes=60))

    shares = [law.cdf(law.sample(Random(seed))) for seed in range(500)]

    assert uniform(shares)


def test_who_takes_no_time_answers_at_once() -> None:
    assert AnswerTimes(times=ResponseTimes()).sample(Random(1)) == timedelta(0)


def test_a_new_agent_introduces_itself_within_minutes() -> None:
    dues = [first_post_at(now=NOW, chance=Random(seed)) for seed in range(100)]

    assert all(NOW < due <= NOW + timedelta(minutes=12) for due in dues)
    assert len(set(dues)) == 100


@given(spans, st.integers())
def test_the_next_trade_is_within_the_range_of_the_persona(span: list[float], seed: int) -> None:
    low, high = span
    frequency = TradingFrequency(min_hours_between_trades=low, max_hours_between_trades=high)

    due = next_trade_at(frequency, now=NOW, chance=Random(seed))

    assert NOW + low * HOUR <= due <= NOW + high * HOUR + timedelta(microseconds=1)
