"""Waits that a persona asks for hold; those of clocks, of timers, and in turns do not."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from puppet_engine.agents.schedule import PostTimes
from puppet_engine.core.personas import Behavior
from puppet_engine.measures.reading import hold
from puppet_engine.measures.rhythm import (
    FEWEST,
    Pace,
    burstiness,
    like_people,
    memory,
    rhythm,
)
from puppet_engine.measures.timing import timing

pytestmark = pytest.mark.unit

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOW, HIGH = 1.0, 8.0
BEHAVIOR = Behavior.model_validate(
    {"post_frequency": {"min_hours_between_posts": LOW, "max_hours_between_posts": HIGH}}
)
COUNT, LIVES = 300, 40

BURSTINESS, ORDER = (
    "burstiness of waits (a clock's is -1, that of chance 0)",
    "correlation of a wait with the one before, by what both were drawn from",
)

Really = Callable[[Sequence[PostTimes], random.Random], list[float]]


def as_asked(times: Sequence[PostTimes], chance: random.Random) -> list[float]:
    return [(one.sample(chance) - one.now) / HOUR for one in times]


def by_the_clock(times: Sequence[PostTimes], chance: random.Random) -> list[float]:
    return [4 + chance.uniform(-0.1, 0.1) for _ in times]


def by_a_timer(times: Sequence[PostTimes], chance: random.Random) -> list[float]:
    return [chance.uniform(LOW, HIGH) for _ in times]


def in_turns(times: Sequence[PostTimes], chance: random.Random) -> list[float]:
    """Wait short and long in turns: every wait by itself is as likely as it should be."""
    waits = sorted(as_asked(times, chance))
    half = len(waits) // 2
    short, long = waits[:half], waits[half:]
    chance.shuffle(short)
    chance.shuffle(long)
    return [wait for both in zip(short, long, strict=True) for wait in both]


def pace(really: Really, *, seed: int = 3) -> Pace:
    chance = random.Random(seed)
    times = [PostTimes(behavior=BEHAVIOR, now=START + at * 5 * HOUR) for at in range(COUNT)]
    waits = really(times, chance)
    return Pace(
        waits=waits,
        transforms=[
            one.cdf(one.now + wait * HOUR) for one, wait in zip(times, waits, strict=True)
        ],
        bounds=(LOW, HIGH),
        drawn=[as_asked(times, chance) for _ in range(LIVES)],
    )


def failing(paces: dict[str, Pace]) -> list[tuple[str, str]]:
    return [(one.of, one.whose) for one in rhythm(paces).readings if not one.holds]


def test_waits_that_are_drawn_as_the_persona_asks_hold() -> None:
    assert failing({f"p{seed}": pace(as_asked, seed=seed) for seed in range(4)}) == []


@pytest.mark.parametrize(
    ("really", "broken"),
    [
        (by_the_clock, BURSTINESS),
        (by_a_timer, BURSTINESS),
        (in_turns, ORDER),
    ],
)
def test_waits_of_another_rhythm_fail_the_measure(really: Really, broken: str) -> None:
    assert broken in [of for of, _ in failing({"ann": pace(really)})]


def test_only_the_order_tells_that_long_waits_follow_short_ones() -> None:
    found = pace(in_turns)

    assert [one.holds for one in timing("posts", {"ann": found.transforms}).readings] == [True]
    assert failing({"ann": found}) == [(ORDER, "ann")]


def test_one_of_several_that_keeps_to_a_clock_is_found_and_no_other() -> None:
    paces = {f"p{seed}": pace(as_asked, seed=seed) for seed in range(4)}

    beyond = {whose for _, whose in failing({**paces, "clock": pace(by_the_clock)})}

    assert "clock" in beyond
    assert not beyond & set(paces)


def test_a_clock_has_a_burstiness_of_minus_one_and_a_crowd_one_above_nothing() -> None:
    crowds = [90.0 if at % 10 == 0 else 0.1 for at in range(50)]
    waves = [6.0 if at // 10 % 2 else 1.0 for at in range(50)]

    assert burstiness([1.0] * 50) == -1
    assert burstiness(crowds) > 0.3
    assert memory(waves) > 0.5
    assert (burstiness([]), memory([1.0] * 9), like_people([], (1, 2))) == (0, 0, 0)


def test_of_too_few_waits_nothing_is_said() -> None:
    few = pace(as_asked)
    short = Pace(
        waits=few.waits[: FEWEST - 1],
        transforms=few.transforms[: FEWEST - 1],
        bounds=few.bounds,
        drawn=few.drawn,
    )

    assert [of for of, _ in failing({"ann": short})] == [BURSTINESS, ORDER]
    assert not hold(rhythm({}).readings)


def test_a_power_law_is_told_from_a_timer() -> None:
    chance, bounds = random.Random(4), (0.1, 100.0)
    people = [0.1 * 1_000 ** chance.random() for _ in range(COUNT)]
    timer = [min(0.1 + chance.expovariate(0.1), 100.0) for _ in range(COUNT)]

    assert like_people(people, bounds) > 0.1
    assert like_people(timer, bounds) < -0.1
    assert like_people([chance.uniform(*bounds) for _ in range(COUNT)], bounds) < -0.1
