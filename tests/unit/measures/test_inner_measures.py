"""What is measured of times, moods and relationships holds for real ones, and fails for others."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from puppet_engine.agents.deciding import likelihood
from puppet_engine.agents.mind import Mind
from puppet_engine.agents.mood import at_rest, faded, moved
from puppet_engine.agents.schedule import PostTimes
from puppet_engine.core.minds import KnownMind
from puppet_engine.core.models import AgentConfig
from puppet_engine.core.moods import Impulse
from puppet_engine.core.personas import Behavior, EmotionalRange
from puppet_engine.core.relationships import Relationship
from puppet_engine.measures.mood import Moved, half_life, intensity, mood
from puppet_engine.measures.reading import Reading
from puppet_engine.measures.relationships import (
    BANDS,
    Relationships,
    Stood,
    Weighed,
    relationships,
)
from puppet_engine.measures.timing import TESTED, timing

pytestmark = pytest.mark.unit

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEHAVIOR = Behavior.model_validate(
    {
        "post_frequency": {"min_hours_between_posts": 2, "max_hours_between_posts": 6},
        "peak_hours": [8, 9, 20],
        "timezone": "Europe/Vienna",
    }
)


def failing(readings: Sequence[Reading]) -> list[tuple[str, str]]:
    return [(one.of, one.whose) for one in readings if not one.holds]


# ------------------------------------------------------------------ times


def transforms(
    really: Callable[[PostTimes, random.Random], datetime], *, count: int = TESTED
) -> list[float]:
    """Return the transforms of moments that follow each other, by what is said of them."""
    chance, now, found = random.Random(5), START, []
    for _ in range(count):
        said = PostTimes(behavior=BEHAVIOR, now=now, factor=chance.choice([0.6, 0.8, 1.1]))
        due = really(said, chance)
        found.append(said.cdf(due))
        now = due
    return found


def test_posts_that_come_when_the_schedule_says_are_not_rejected() -> None:
    found = timing("posts", {"ann": transforms(PostTimes.sample)})

    assert failing(found.readings) == []
    assert found.readings[0].count == TESTED
    assert sum(found.bins["ann"]) == TESTED


def evenly(said: PostTimes, chance: random.Random) -> datetime:
    return said.now + chance.uniform(2, 6) * HOUR


def heedless_of_mood(said: PostTimes, chance: random.Random) -> datetime:
    return PostTimes(behavior=said.behavior, now=said.now).sample(chance)


def heedless_of_peaks(said: PostTimes, chance: random.Random) -> datetime:
    behavior = said.behavior.model_copy(update={"peak_hours": []})
    return PostTimes(behavior=behavior, now=said.now, factor=said.factor).sample(chance)


@pytest.mark.parametrize("really", [evenly, heedless_of_mood, heedless_of_peaks])
def test_posts_that_come_otherwise_are_rejected(
    really: Callable[[PostTimes, random.Random], datetime],
) -> None:
    found = timing("posts", {"ann": transforms(really)})

    assert [whose for _, whose in failing(found.readings)] == ["ann"]


def test_one_of_ten_whose_times_are_wrong_is_found_and_no_other() -> None:
    chance = random.Random(3)
    values = {f"p{at}": [chance.random() for _ in range(300)] for at in range(9)}

    found = timing("posts", {**values, "late": [chance.random() ** 0.6 for _ in range(300)]})

    assert "late" in [whose for _, whose in failing(found.readings)]
    assert not {f"p{at}" for at in range(9)} & {whose for _, whose in failing(found.readings)}


def test_without_times_nothing_holds_and_no_probability_is_greater_than_one() -> None:
    assert failing(timing("posts", {}).readings)
    assert failing(timing("posts", {"ann": []}).readings)
    with pytest.raises(ValueError, match="outside of 0 to 1"):
        timing("posts", {"ann": [1.5]})


# ------------------------------------------------------------------ moods

RANGE = EmotionalRange(baseline_valence=0.2, baseline_arousal=-0.1, half_life_hours=6)


def life(range_: EmotionalRange, *, count: int = 60) -> list[Moved]:
    """Return the moments of a mood by the engine's own dynamics."""
    chance, state, found = random.Random(11), at_rest(range_, START), []
    for _ in range(count):
        before = faded(state, range_, state.as_of + chance.uniform(0.1, 12) * HOUR)
        push = Impulse(valence=chance.uniform(-1, 1), arousal=chance.uniform(-1, 1))
        state = moved(before, range_, push)
        found.append(
            Moved(
                before.as_of,
                (before.valence, before.arousal),
                (state.valence, state.arousal),
                (push.valence, push.arousal),
            )
        )
    return found


@settings(deadline=None)
@given(hours=st.floats(0.5, 72))
def test_the_half_life_of_the_engines_own_moods_is_found(hours: float) -> None:
    range_ = RANGE.model_copy(update={"half_life_hours": hours})

    found, count = half_life(range_, life(range_))

    assert count > 20
    assert found == pytest.approx(hours, rel=0.01)


def test_moods_that_move_and_fade_as_they_should_hold() -> None:
    found = mood({"ann": RANGE}, {"ann": life(RANGE)})

    assert failing(found.readings) == []
    assert len(found.courses["ann"]) == 60


def test_a_mood_that_fades_a_tenth_slower_fails_the_measure() -> None:
    slower = life(RANGE.model_copy(update={"half_life_hours": 6.6}))

    found = mood({"ann": RANGE}, {"ann": slower})

    assert failing(found.readings) == [("half-life of the mood, in hours", "ann")]


def test_a_mood_that_feels_a_tenth_less_fails_the_measure() -> None:
    dulled = life(RANGE.model_copy(update={"intensity": 0.9 * RANGE.intensity}))

    found = mood({"ann": RANGE}, {"ann": dulled})

    assert failing(found.readings) == [("how much of what happens is felt", "ann")]


@settings(deadline=None)
@given(felt=st.floats(0.05, 1), inertia=st.floats(0, 1))
def test_the_intensity_of_the_engines_own_moods_is_found(felt: float, inertia: float) -> None:
    range_ = RANGE.model_copy(update={"intensity": felt, "inertia": inertia})

    found, count = intensity(range_, life(range_))

    assert count > 20
    assert found == pytest.approx(felt, rel=0.01)


def test_a_mood_that_leaves_its_bounds_fails_the_measure() -> None:
    too_far = [*life(RANGE), Moved(START + 9999 * HOUR, (0.2, -0.1), (1.01, 0))]

    found = mood({"ann": RANGE}, {"ann": too_far})

    assert failing(found.readings) == [("farthest that any mood went", "the cast")]


def test_of_those_who_were_never_moved_nothing_can_be_said() -> None:
    assert len(failing(mood({"ann": RANGE}, {}).readings)) == 3


# ------------------------------------------------------------------ relationships


def weighed(likely: Callable[[float], float]) -> list[Weighed]:
    chance, found = random.Random(4), []
    for number in range(3000):
        affinity = chance.uniform(-0.5, 1)
        who = f"p{number % 5}"
        found.append(Weighed(who, "bob", affinity, chance.random() < likely(affinity)))
    return found


def as_agents_do(affinity: float) -> float:
    config = AgentConfig(id="ann", name="Ann")
    liked = Relationship(handle="bob", affinity=affinity, as_of=START)
    return likelihood(0.7, liked, Mind(config, KnownMind(), now=START))


HALF_LIFE = timedelta(days=45)
FADING = "half-life of affinity, in days"


def stood(half_life_days: float) -> list[Stood]:
    chance, now, felt, found = random.Random(6), START, 0.2, []
    for _ in range(80):
        days, rest = chance.uniform(0.1, 9), 0.2
        now, felt = now + days * 24 * HOUR, rest + (felt - rest) * 0.5 ** (days / half_life_days)
        has_heard = chance.random() < 0.4
        felt = chance.uniform(-1, 1) if has_heard else felt
        found.append(Stood("ann", "bob", now, felt, rest, has_heard=has_heard))
    return found


def related(weighed: Sequence[Weighed], *, days: float = 45) -> Relationships:
    return relationships(weighed, stood(days), half_life=HALF_LIFE)


def test_those_who_are_liked_are_answered_more() -> None:
    found = related(weighed(as_agents_do))

    assert failing(found.readings) == []
    assert [len(found.bands), sum(band.count for band in found.bands)] == [BANDS, 3000]


@pytest.mark.parametrize("likely", [lambda _: 0.7, lambda affinity: 0.7 - affinity / 4])
def test_agents_who_answer_all_alike_or_enemies_first_fail_the_measure(
    likely: Callable[[float], float],
) -> None:
    assert failing(related(weighed(likely)).readings) == [
        ("rank correlation of affinity and answers", "the cast")
    ]


@pytest.mark.parametrize("days", [40, 50])
def test_affinity_that_fades_a_tenth_faster_or_slower_fails_the_measure(days: float) -> None:
    assert failing(related(weighed(as_agents_do), days=days).readings) == [(FADING, "the cast")]


def test_of_affinity_that_was_never_seen_to_fade_nothing_is_said() -> None:
    found = relationships(weighed(as_agents_do), [], half_life=HALF_LIFE)

    assert failing(found.readings) == [(FADING, "the cast")]


def each_other(**felt: float) -> list[Weighed]:
    """Return how those feel for each other whose initials make the names."""
    pairs = [(*pair, how) for pair, how in felt.items()]
    return [
        Weighed(who, whom, how, is_answered=True)
        for one, other, how in pairs
        for who, whom in ((one, other), (other, one))
    ]


def test_a_love_that_is_not_returned_is_told() -> None:
    both = [
        Weighed("ann", "bob", 0.9, is_answered=True),
        Weighed("bob", "Ann", 0.1, is_answered=True),
    ]

    found = related(both)

    assert {one.of: round(one.value, 6) for one in found.readings[2:]} == {
        "by how much affinity is not returned": 0.8
    }
    assert found.bands == []


@pytest.mark.parametrize(("third", "balanced"), [(0.5, 1), (-0.5, 0)])
def test_friends_of_whom_two_are_enemies_are_out_of_balance(third: float, balanced: int) -> None:
    found = related(each_other(ab=0.5, bc=0.5, ac=third))

    assert {one.of: one.value for one in found.readings}["threes in balance"] == balanced
