"""Hours of the week that follow their persona pass; those of another clock or day do not."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from puppet_engine.agents.schedule import PostTimes
from puppet_engine.core.personas import Behavior
from puppet_engine.measures.reading import hold
from puppet_engine.measures.week import HOURS, Hour, week

pytestmark = pytest.mark.unit

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
BEHAVIOR = Behavior.model_validate(
    {
        "post_frequency": {"min_hours_between_posts": 3, "max_hours_between_posts": 9},
        "peak_hours": [8, 9, 20],
        "timezone": "Asia/Tokyo",
    }
)


def hours(really: Callable[[PostTimes, random.Random], datetime], count: int = 400) -> list[Hour]:
    chance, now, found = random.Random(9), START, list[Hour]()
    for _ in range(count):
        said = PostTimes(behavior=BEHAVIOR, now=now, factor=chance.choice([0.7, 1.2]))
        now = really(said, chance)
        found.append((said.hour_of_week(now), said.by_hour()))
    return found


def by_another_clock(said: PostTimes, chance: random.Random) -> datetime:
    behavior = said.behavior.model_copy(update={"timezone": "Europe/Lisbon"})
    return PostTimes(behavior=behavior, now=said.now, factor=said.factor).sample(chance)


def heedless_of_peaks(said: PostTimes, chance: random.Random) -> datetime:
    behavior = said.behavior.model_copy(update={"peak_hours": []})
    return PostTimes(behavior=behavior, now=said.now, factor=said.factor).sample(chance)


def test_hours_as_the_persona_says_hold_and_are_told_by_the_hour_of_the_day() -> None:
    found = week("posts", {"ann": hours(PostTimes.sample)})

    assert hold(found.readings)
    assert sum(found.seen["ann"]) == pytest.approx(1, abs=0.01)
    assert sum(found.expected["ann"]) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("really", [by_another_clock, heedless_of_peaks])
def test_who_lives_by_another_clock_or_has_no_peak_hours_fails_the_measure(
    really: Callable[[PostTimes, random.Random], datetime],
) -> None:
    found = week("posts", {"ann": hours(really)})

    assert [one.of for one in found.readings if not one.holds] == [
        "probability of the hours of the week of posts"
    ]


def test_of_who_never_spoke_nothing_is_said() -> None:
    assert not hold(week("posts", {"ann": []}).readings)
    assert not hold(week("posts", {}).readings)


def test_the_hours_that_a_wait_may_fall_into_are_the_likely_ones_of_the_local_week() -> None:
    times = PostTimes(behavior=BEHAVIOR, now=START)

    likely = times.by_hour()
    chance = random.Random(1)
    drawn = {times.hour_of_week(times.sample(chance)) for _ in range(2_000)}

    assert sum(likely.values()) == pytest.approx(1)
    # 06:00 in UTC is 15:00 in Tokyo, on a Monday; three to nine hours later it is 18 to 24.
    assert set(likely) == drawn == {18, 19, 20, 21, 22, 23}
    assert all(0 <= hour < HOURS for hour in likely)
    assert likely[20] > likely[19]


def test_a_wait_without_a_choice_falls_into_one_hour() -> None:
    always = BEHAVIOR.model_copy(
        update={
            "post_frequency": BEHAVIOR.post_frequency.model_copy(
                update={"min_hours_between_posts": 9}
            )
        }
    )

    assert PostTimes(behavior=always, now=START).by_hour() == {24: 1.0}
    assert START + timedelta(hours=9) == PostTimes(behavior=always, now=START).sample(
        random.Random(1)
    )
