"""Moods that show in words and times hold; words or a schedule that heed none do not."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from tests.unit.measures.speech import cast

from puppet_engine.agents.schedule import PostTimes
from puppet_engine.appraisal.asking import OCCASIONS, asked_twice
from puppet_engine.core.personas import Behavior
from puppet_engine.measures.reading import Reading, hold
from puppet_engine.measures.showing import Paced, Showing, Twice, Worded, showing

pytestmark = pytest.mark.unit

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
WORDS = "rank correlation of mood and words"
PACE = "by how much sooner posts come at twice the pace"
SHIFT = "by how much gladder the same is said in a glad mood than in a low one"


def failing(found: Showing) -> list[tuple[str, str]]:
    return [(one.of, one.whose) for one in found.readings if not one.holds]


def frankly(slope: float) -> list[Worded]:
    chance = random.Random(2)
    moods = [chance.uniform(-1, 1) for _ in range(200)]
    return [Worded(mood=it, words=0.4 + slope * it + chance.gauss(0, 0.3)) for it in moods]


def by_mood(said: PostTimes, chance: random.Random) -> datetime:
    return said.sample(chance)


def heedless_of_mood(said: PostTimes, chance: random.Random) -> datetime:
    return PostTimes(behavior=said.behavior, now=said.now).sample(chance)


def paced(really: Callable[[PostTimes, random.Random], datetime]) -> list[Paced]:
    chance, behavior = random.Random(3), Behavior()
    found = []
    for _ in range(500):
        said = PostTimes(behavior=behavior, now=START, factor=2 ** chance.uniform(-0.4, 0.4))
        usual = PostTimes(behavior=behavior, now=START)
        found.append(Paced(said.factor, usual.cdf(really(said, chance))))
    return found


def moody(shift: float) -> list[Twice]:
    chance = random.Random(4)
    return [Twice(glad=shift + chance.gauss(0, 0.4), low=chance.gauss(0, 0.4)) for _ in range(60)]


def shown(
    *,
    worded: Sequence[Worded] | None = None,
    waits: Sequence[Paced] | None = None,
    twice: Sequence[Twice] | None = None,
) -> Showing:
    return showing(
        {"ann": frankly(0.5) if worded is None else worded},
        {"ann": paced(by_mood) if waits is None else waits},
        {"ann": moody(0.4) if twice is None else twice},
    )


def test_a_mood_that_shows_in_words_and_waits_holds() -> None:
    found = shown()

    assert failing(found) == []
    assert found.shifts["ann"][1] > found.shifts["ann"][0]


def test_words_that_heed_no_mood_fail_the_measure() -> None:
    assert failing(shown(worded=frankly(0))) == [(WORDS, "the cast")]


def test_waits_that_heed_no_mood_fail_the_measure() -> None:
    assert failing(shown(waits=paced(heedless_of_mood))) == [(PACE, "the cast")]


def test_who_says_the_same_in_every_mood_fails_the_measure_by_name() -> None:
    assert failing(shown(twice=moody(0))) == [(SHIFT, "ann")]
    assert failing(shown(twice=[Twice(0.2, 0.2)] * 60)) == [(SHIFT, "ann")]


def test_of_those_who_said_nothing_nothing_is_said() -> None:
    found = showing({}, {"ann": []}, {"ann": []})

    assert failing(found) == [(WORDS, "the cast"), (PACE, "the cast"), (SHIFT, "ann")]
    assert not hold(list[Reading]())


def test_the_cast_says_the_same_more_gladly_in_a_glad_mood() -> None:
    personas = list(cast(3).values())

    twice = asked_twice(personas, seed=7)
    found = showing({}, {}, twice)

    assert [len(several) for several in twice.values()] == [OCCASIONS] * 3
    assert [whose for of, whose in failing(found) if of == SHIFT] == []
    assert asked_twice(personas[:1], seed=7) == {next(iter(twice)): next(iter(twice.values()))}
