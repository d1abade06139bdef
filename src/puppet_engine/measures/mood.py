"""Whether moods fade as fast as their personas say, stay within bounds, and show in the words.

Between two moments at which something moves an agent its mood fades: what was left of its
distance to the baseline tells the half-life, by least squares over all such spans. And the more
cheerful a persona is, the more cheerful what it writes has to be: Spearman's rank correlation of
both, each taken from the persona's own mean.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import log2
from statistics import fmean
from typing import Final

from scipy import stats

from puppet_engine.core.nouns import Noun
from puppet_engine.core.personas import EmotionalRange
from puppet_engine.measures.reading import CAST, Reading, told

OFF_BY: Final = 0.05
"""By how much the half-life may differ from the persona's."""

SIGNIFICANCE: Final = 0.01
FEWEST: Final = 10

_SMALLEST: Final = 1e-4
"""What is nearer to the baseline tells of rounding only."""

Place = tuple[float, float]
"""Valence and arousal, each from -1 to 1."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A moment at which something moved somebody: the mood before and after it."""

    at: datetime
    before: Place
    after: Place


@dataclass(frozen=True, slots=True)
class Worded:
    """What somebody wrote: the valence of the mood, and that of the words."""

    mood: float
    words: float


class Mood(Noun):
    """What moods did."""

    readings: list[Reading]
    courses: dict[str, list[float]]
    """The valence after each of the last moments, by handle."""


def mood(
    ranges: Mapping[str, EmotionalRange],
    moved: Mapping[str, Sequence[Moved]],
    worded: Mapping[str, Sequence[Worded]],
) -> Mood:
    """Hold the moods of each handle to what its persona says, and its words to its moods."""
    readings = [
        _half_life(handle, range_, moved.get(handle, ())) for handle, range_ in ranges.items()
    ]
    readings.append(_bounds([one for several in moved.values() for one in several]))
    readings += _shown(worded)
    return Mood(
        readings=readings,
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
    spans = [span for earlier, later in pairwise(moved) for span in _spans(earlier, later, rest)]
    fading = sum(hours * halvings for hours, halvings in spans)
    return (sum(hours**2 for hours, _ in spans) / fading if fading > 0 else 0.0), len(spans)


def _spans(earlier: Moved, later: Moved, rest: Place) -> Iterator[tuple[float, float]]:
    """Yield how long a mood had time to fade, in hours, and how often it was halved."""
    hours = (later.at - earlier.at) / timedelta(hours=1)
    for after, before, base in zip(earlier.after, later.before, rest, strict=True):
        then, now = after - base, before - base
        if hours > 0 and abs(now) > _SMALLEST and then / now > 0:
            yield hours, log2(then / now)


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


def _shown(worded: Mapping[str, Sequence[Worded]]) -> list[Reading]:
    pairs = [pair for several in worded.values() for pair in _from_their_mean(several)]
    readings = [_correlated(CAST, pairs)]
    by_handle = defaultdict(list, {who: _from_their_mean(it) for who, it in worded.items()})
    for handle, several in sorted(by_handle.items()):
        if len(several) >= FEWEST:
            rho = _correlated(handle, several).value
            readings.append(told("mood in the words", rho, count=len(several), whose=handle))
    return readings


def _from_their_mean(worded: Sequence[Worded]) -> list[tuple[float, float]]:
    if not worded:
        return []
    mean_mood, mean_words = fmean(it.mood for it in worded), fmean(it.words for it in worded)
    return [(it.mood - mean_mood, it.words - mean_words) for it in worded]


def _correlated(whose: str, pairs: Sequence[tuple[float, float]]) -> Reading:
    moods, words = [mood for mood, _ in pairs], [words for _, words in pairs]
    can_tell = len(pairs) >= FEWEST and len(set(moods)) > 1 and len(set(words)) > 1
    rho, probability = 0.0, 1.0
    if can_tell:
        found = stats.spearmanr(moods, words, alternative="greater")
        rho, probability = float(found.statistic), float(found.pvalue)
    return Reading(
        of="rank correlation of mood and words",
        whose=whose,
        value=rho,
        line=f"above 0, by chance once in {1 / SIGNIFICANCE:.0f} at the most",
        holds=can_tell and probability < SIGNIFICANCE,
        count=len(pairs),
    )
