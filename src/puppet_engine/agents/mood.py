"""The mood of an agent as a dynamical system: pure functions of persona, moment and event.

It rests at the persona's baseline. What happens moves it at once; then it fades to the baseline
again, by half within each half-life, the same whether one looks at it in between or not.
It never leaves the square from -1 to 1, whatever happens.
"""

from datetime import datetime, timedelta
from math import dist
from typing import Final

from puppet_engine.core.moods import Impulse, MoodChange, MoodState
from puppet_engine.core.personas import EmotionalRange

DEFAULT_MOODS: Final = {
    "cheerful": (0.6, 0.3),
    "excited": (0.7, 0.8),
    "calm": (0.4, -0.6),
    "even": (0.0, 0.0),
    "gloomy": (-0.6, -0.4),
    "tired": (-0.3, -0.7),
    "annoyed": (-0.5, 0.4),
    "upset": (-0.6, 0.7),
}
"""What a mood is called in somebody whose persona names none."""


def at_rest(range_: EmotionalRange, moment: datetime) -> MoodState:
    """Return the mood of somebody whom nothing has moved yet."""
    return MoodState(
        valence=range_.baseline_valence, arousal=range_.baseline_arousal, as_of=moment
    )


def faded(mood: MoodState, range_: EmotionalRange, moment: datetime) -> MoodState:
    """Return what a mood has become by a moment; in the past it has not begun to fade."""
    if moment <= mood.as_of:
        return mood
    left = 0.5 ** ((moment - mood.as_of) / timedelta(hours=range_.half_life_hours))
    return mood.model_copy(
        update={
            "valence": _towards(mood.valence, range_.baseline_valence, left),
            "arousal": _towards(mood.arousal, range_.baseline_arousal, left),
            "as_of": moment,
        }
    )


def moved(mood: MoodState, range_: EmotionalRange, impulse: Impulse) -> MoodState:
    """Return a mood after an impulse.

    The persona's intensity scales it, and what goes against the mood of the moment counts less,
    by its inertia. It takes its share of the way that is left to the end, so it cannot pass it.
    """
    return mood.model_copy(
        update={
            "valence": _pushed(mood.valence, range_.baseline_valence, impulse.valence, range_),
            "arousal": _pushed(mood.arousal, range_.baseline_arousal, impulse.arousal, range_),
        }
    )


def faded_impulse(impulse: Impulse, range_: EmotionalRange, age: timedelta) -> Impulse:
    """Return what is left of an impulse that somebody hears of only some time after it."""
    left = 0.5 ** (max(age, timedelta(0)) / timedelta(hours=range_.half_life_hours))
    return Impulse(valence=impulse.valence * left, arousal=impulse.arousal * left)


def change(
    mood: MoodState, range_: EmotionalRange, impulse: Impulse, *, event: str, reason: str
) -> MoodChange:
    """Return what an event does to a mood, at the mood's own moment."""
    after = moved(mood, range_, impulse)
    return MoodChange(event=event, impulse=impulse, before=mood, after=after, reason=reason)


def name_of(mood: MoodState, range_: EmotionalRange) -> str:
    """Return what the mood is called: the nearest of the persona's moods, or of the usual ones."""
    places = range_.places() or DEFAULT_MOODS
    return min(places, key=lambda name: dist(places[name], (mood.valence, mood.arousal)))


def arousal_from_rest(mood: MoodState, range_: EmotionalRange) -> float:
    """Return how much more awake somebody is than usual, from -2 to 2."""
    return mood.arousal - range_.baseline_arousal


def pace_factor(mood: MoodState, range_: EmotionalRange) -> float:
    """Return by how much the mood stretches the time between two posts, from 0.5 to 2."""
    return float(2 ** (-arousal_from_rest(mood, range_) / 2))


def _towards(value: float, rest: float, left: float) -> float:
    return _bounded(rest + (value - rest) * left)


def _pushed(value: float, rest: float, push: float, range_: EmotionalRange) -> float:
    step = push * range_.intensity
    if step * (value - rest) < 0:
        step *= 1 - range_.inertia * min(1.0, abs(value - rest))
    way = 1 - value if step > 0 else 1 + value
    return _bounded(value + step * way)


def _bounded(value: float) -> float:
    """Return the value without what rounding may have added beyond the ends."""
    return max(-1.0, min(1.0, value))
