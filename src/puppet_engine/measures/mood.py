"""Whether moods move and fade as their personas say, and stay within bounds.

What happens moves a mood by the persona's intensity: the slope of the way it went over the way the
impulse would have taken it, by least squares, over impulses that do not go against the mood.
Between two such moments it fades; what was left of its distance to the baseline tells by what
half-life.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Final

from puppet_engine.core.nouns import Noun
from puppet_engine.core.personas import EmotionalRange
from puppet_engine.measures.fading import FEWEST, OFF_BY, Span, half_life_of, spans
from puppet_engine.measures.reading import CAST, Reading, told

Place = tuple[float, float]
"""Valence and arousal, each from -1 to 1."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A moment at which something moved somebody: the mood before and after it, and what did."""

    at: datetime
    before: Place
    after: Place
    impulse: Place = (0.0, 0.0)


class Mood(Noun):
    """What moods did."""

    readings: list[Reading]
    courses: dict[str, list[float]]
    """The valence after each of the last moments, by handle."""


def mood(ranges: Mapping[str, EmotionalRange], moved: Mapping[str, Sequence[Moved]]) -> Mood:
    """Hold the moods of each handle to what its persona says."""
    each = {handle: moved.get(handle, ()) for handle in ranges}
    return Mood(
        readings=[
            *(_half_life(handle, ranges[handle], several) for handle, several in each.items()),
            *(_intensity(handle, ranges[handle], several) for handle, several in each.items()),
            _bounds([one for several in moved.values() for one in several]),
            *(_persistence(handle, several) for handle, several in each.items()),
        ],
        courses={
            handle: [round(one.after[0], 4) for one in several[-LAST:]]
            for handle, several in moved.items()
        },
    )


LAST: Final = 120
"""So many moments are drawn."""


def half_life(range_: EmotionalRange, moved: Sequence[Moved]) -> tuple[float, int]:
    """Return by what half-life moods have faded, in hours, and over how many spans; 0 of none."""
    rest = (range_.baseline_valence, range_.baseline_arousal)
    found = [span for earlier, later in pairwise(moved) for span in _spans(earlier, later, rest)]
    return half_life_of(found), len(found)


def _spans(earlier: Moved, later: Moved, rest: Place) -> Iterator[Span]:
    hours = (later.at - earlier.at) / timedelta(hours=1)
    for then, now, base in zip(earlier.after, later.before, rest, strict=True):
        yield from spans(then, now, rest=base, passed=hours)


def _half_life(handle: str, range_: EmotionalRange, moved: Sequence[Moved]) -> Reading:
    found, count = half_life(range_, moved)
    wanted = range_.half_life_hours
    return Reading(
        of="half-life of the mood, in hours",
        whose=handle,
        value=found,
        line=f"{wanted:g}, to {OFF_BY:.0%}",
        holds=count >= FEWEST and abs(found / wanted - 1) <= OFF_BY,
        count=count,
    )


def intensity(range_: EmotionalRange, moved: Sequence[Moved]) -> tuple[float, int]:
    """Return which part of impulses was felt, of those not against the mood; and over how many."""
    rest = (range_.baseline_valence, range_.baseline_arousal)
    steps = [step for one in moved for step in _steps(one, rest)]
    meant = sum(way**2 for way, _ in steps)
    return (sum(way * went for way, went in steps) / meant if meant else 0.0), len(steps)


def _steps(one: Moved, rest: Place) -> Iterator[tuple[float, float]]:
    """Yield how far an impulse would have taken a mood, and how far it did."""
    for before, after, push, base in zip(one.before, one.after, one.impulse, rest, strict=True):
        if push and push * (before - base) >= 0:
            left = 1 - before if push > 0 else 1 + before
            yield push * left, after - before


def _intensity(handle: str, range_: EmotionalRange, moved: Sequence[Moved]) -> Reading:
    found, count = intensity(range_, moved)
    wanted = range_.intensity
    return Reading(
        of="how much of what happens is felt",
        whose=handle,
        value=found,
        line=f"{wanted:.0%}, to {OFF_BY:.0%}",
        holds=count >= FEWEST and abs(found - wanted) <= OFF_BY * wanted,
        count=count,
        unit="share",
    )


def _persistence(handle: str, moved: Sequence[Moved]) -> Reading:
    """Tell how a mood goes with the one at the moment before: Pearson's correlation."""
    after = [one.after[0] for one in moved]
    pairs = list(pairwise(after))
    spread = pstdev(after) if len(after) > 1 else 0.0
    mean = fmean(after) if after else 0.0
    together = fmean((one - mean) * (other - mean) for one, other in pairs) if pairs else 0.0
    value = together / spread**2 if spread else 0.0
    return told("autocorrelation of the mood", value, count=len(pairs), whose=handle)


def _bounds(moved: Sequence[Moved]) -> Reading:
    farthest = max((abs(one) for it in moved for one in (*it.before, *it.after)), default=0.0)
    return Reading(
        of="farthest that any mood went",
        whose=CAST,
        value=farthest,
        line="1 at the most",
        holds=bool(moved) and farthest <= 1,
        count=len(moved),
    )
