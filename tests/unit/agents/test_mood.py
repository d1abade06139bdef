from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from puppet_engine.agents.mood import (
    at_rest,
    change,
    faded,
    faded_impulse,
    moved,
    name_of,
    pace_factor,
)
from puppet_engine.core.moods import Impulse, MoodState
from puppet_engine.core.personas import EmotionalRange

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)

feelings = st.floats(-1, 1)
ages = st.floats(0, 1000).map(lambda hours: timedelta(hours=hours))
impulses = st.builds(Impulse, valence=feelings, arousal=feelings)
ranges = st.builds(
    EmotionalRange,
    baseline_valence=feelings,
    baseline_arousal=feelings,
    intensity=st.floats(0, 1),
    inertia=st.floats(0, 1),
    half_life_hours=st.floats(0.1, 100),
)
moods = st.builds(MoodState, valence=feelings, arousal=feelings, as_of=st.just(NOW))


@given(moods, ranges, st.lists(st.tuples(impulses, ages), max_size=30))
def test_no_series_of_events_leads_out_of_bounds(
    mood: MoodState, range_: EmotionalRange, events: list[tuple[Impulse, timedelta]]
) -> None:
    for impulse, age in events:
        mood = moved(faded(mood, range_, mood.as_of + age), range_, impulse)

        assert -1 <= mood.valence <= 1
        assert -1 <= mood.arousal <= 1


@given(moods, ranges)
def test_half_of_a_mood_has_faded_after_its_half_life(
    mood: MoodState, range_: EmotionalRange
) -> None:
    later = faded(mood, range_, NOW + timedelta(hours=range_.half_life_hours))

    halfway = (mood.valence + range_.baseline_valence) / 2
    assert later.valence == pytest.approx(halfway, abs=1e-6)
    assert later.arousal == pytest.approx((mood.arousal + range_.baseline_arousal) / 2, abs=1e-6)


@given(moods, ranges, ages, ages)
def test_it_fades_the_same_whether_one_looks_in_between_or_not(
    mood: MoodState, range_: EmotionalRange, first: timedelta, second: timedelta
) -> None:
    at_once = faded(mood, range_, NOW + first + second)
    in_two = faded(faded(mood, range_, NOW + first), range_, NOW + first + second)

    assert in_two.valence == pytest.approx(at_once.valence, abs=1e-9)
    assert in_two.arousal == pytest.approx(at_once.arousal, abs=1e-9)
    assert in_two.as_of == at_once.as_of


@given(moods, ranges)
def test_it_comes_to_rest_at_the_baseline_of_the_persona(
    mood: MoodState, range_: EmotionalRange
) -> None:
    rest = faded(mood, range_, NOW + timedelta(hours=60 * range_.half_life_hours))

    assert rest.valence == pytest.approx(range_.baseline_valence, abs=1e-9)
    assert faded(at_rest(range_, NOW), range_, NOW + timedelta(days=9)).valence == pytest.approx(
        range_.baseline_valence
    )


@given(moods, ranges, st.floats(0.01, 1000))
def test_a_clock_that_is_set_back_changes_nothing(
    mood: MoodState, range_: EmotionalRange, hours: float
) -> None:
    assert faded(mood, range_, NOW - timedelta(hours=hours)) == mood


@given(moods, ranges, feelings, feelings)
def test_kinder_words_never_make_a_mood_worse(
    mood: MoodState, range_: EmotionalRange, one: float, other: float
) -> None:
    worse, better = sorted((one, other))

    assert (
        moved(mood, range_, Impulse(valence=worse)).valence
        <= moved(mood, range_, Impulse(valence=better)).valence + 1e-12
    )


def test_what_goes_against_a_mood_is_felt_less_the_more_inertia_there_is() -> None:
    glad = MoodState(valence=0.8, arousal=0, as_of=NOW)
    insult = Impulse(valence=-0.5)

    quick, slow = (
        moved(glad, EmotionalRange(inertia=inertia), insult).valence for inertia in (0, 1)
    )

    assert quick < slow < glad.valence


def test_somebody_without_intensity_is_moved_by_nothing() -> None:
    range_ = EmotionalRange(intensity=0)

    assert moved(at_rest(range_, NOW), range_, Impulse(valence=1, arousal=1)).valence == 0


def test_what_one_hears_of_late_has_faded_as_the_mood_would_have() -> None:
    range_ = EmotionalRange(half_life_hours=4)

    late = faded_impulse(Impulse(valence=0.8, arousal=-0.4), range_, timedelta(hours=4))

    assert (late.valence, late.arousal) == pytest.approx((0.4, -0.2))


def test_a_change_tells_what_was_and_what_is() -> None:
    range_ = EmotionalRange()
    rest = at_rest(range_, NOW)

    told = change(rest, range_, Impulse(valence=1), event="mention.received", reason="praise")

    assert told.before == rest
    assert told.after.valence == pytest.approx(0.5)


@given(moods, ranges)
def test_the_mood_stretches_the_pace_by_a_factor_from_a_half_to_two(
    mood: MoodState, range_: EmotionalRange
) -> None:
    factor = pace_factor(mood, range_)

    assert 0.5 <= factor <= 2
    assert pace_factor(at_rest(range_, NOW), range_) == 1


def test_a_mood_has_the_name_of_the_persona_that_lies_nearest() -> None:
    named = EmotionalRange.model_validate(
        {"moods": ["proud", "alarmed", {"name": "buttery", "valence": 0.9, "arousal": -0.9}]}
    )

    def name(valence: float, arousal: float) -> str:
        return name_of(MoodState(valence=valence, arousal=arousal, as_of=NOW), named)

    assert [name(0.5, 0.5), name(-0.6, 0.9), name(0.8, -0.8)] == ["proud", "alarmed", "buttery"]
    assert name_of(MoodState(valence=-0.7, arousal=-0.3, as_of=NOW), EmotionalRange()) == "gloomy"


def test_a_mood_that_nobody_knows_must_be_given_its_place() -> None:
    with pytest.raises(ValueError, match=r"'buttery' feels(.|\n)*valence"):
        EmotionalRange.model_validate({"moods": ["buttery"]})
    with pytest.raises(ValueError, match="did you mean 'melancholic'"):
        EmotionalRange.model_validate({"moods": ["melancolic"]})


def test_of_a_phrase_the_last_word_that_is_known_decides() -> None:
    range_ = EmotionalRange.model_validate({"moods": ["cautiously elated", "quietly pleased"]})

    assert range_.places()["cautiously elated"] == (0.85, 0.6)
