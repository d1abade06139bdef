from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given, strategies as st

from puppet_engine.agents.schedule import first_post_at, next_post_at, next_trade_at
from puppet_engine.core.models import Behavior, PostFrequency, TradingFrequency

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)

spans = st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)).map(sorted)


@given(spans, st.integers(), st.lists(st.integers(0, 23), max_size=5))
def test_the_next_post_is_within_the_range_of_the_persona(
    span: list[float], seed: int, peaks: list[int]
) -> None:
    low, high = span
    frequency = PostFrequency(min_hours_between_posts=low, max_hours_between_posts=high)
    behavior = Behavior(post_frequency=frequency, peak_hours=peaks)

    due = next_post_at(behavior, now=NOW, chance=Random(seed))

    assert NOW + low * HOUR <= due <= NOW + high * HOUR + timedelta(microseconds=1)


def test_posts_lean_to_the_peak_hours_of_the_agents_own_time_zone() -> None:
    frequency = PostFrequency(min_hours_between_posts=0.5, max_hours_between_posts=23.5)
    evening = [18, 19, 20, 21, 22, 23]
    behavior = Behavior(post_frequency=frequency, peak_hours=evening, timezone="Asia/Tokyo")

    def is_in_peak(seed: int, behavior: Behavior) -> bool:
        due = next_post_at(behavior, now=NOW, chance=Random(seed))
        return (due + 9 * HOUR).hour in evening

    leaning = sum(is_in_peak(seed, behavior) for seed in range(500))
    even = sum(is_in_peak(s, Behavior(post_frequency=frequency)) for s in range(500))
    assert leaning > 1.8 * even


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
