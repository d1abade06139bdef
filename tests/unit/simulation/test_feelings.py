import pytest
from tests.unit.simulation.lives import moment

from puppet_engine.core.moods import MoodState
from puppet_engine.core.personas import EmotionalRange
from puppet_engine.simulation.charts import mood_over_time
from puppet_engine.simulation.feelings import MoodHour, moods_by_hour
from puppet_engine.storage.census import MoodFact


def felt(hours: float, valence: float) -> MoodState:
    return MoodState(valence=valence, arousal=0, as_of=moment(hours))


def test_each_hour_tells_what_is_left_of_the_last_moment_and_of_those_who_felt_nothing() -> None:
    moments = [MoodFact("ann", "mention.received", before=felt(0.5, 0), after=felt(1, 0.8))]
    ranges = {
        "ann": EmotionalRange(half_life_hours=1),
        "bob": EmotionalRange(baseline_valence=0.5),
    }

    hours = moods_by_hour(moments, ranges, until=moment(3))

    assert [hour.valence for hour in hours] == pytest.approx([0.65, 0.45, 0.35])
    assert (hours[2].low, hours[2].high) == pytest.approx((0.23, 0.47))


def test_a_population_of_one_has_no_spread() -> None:
    (hour,) = moods_by_hour([], {"ann": EmotionalRange(baseline_valence=-0.5)}, until=moment(1))

    assert (hour.low, hour.valence, hour.high) == (-0.5, -0.5, -0.5)


def test_the_chart_has_bliss_at_the_top_and_misery_at_the_bottom() -> None:
    svg = mood_over_time([MoodHour(valence=1, low=-1, high=1, arousal=0)])

    assert '<polyline class="valence" points="0,0.00"/>' in svg
    assert '<polyline class="arousal" points="0,50.00"/>' in svg
    assert 'points="0,0.00 0,100.00"' in svg
