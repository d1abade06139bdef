"""Whether moods show: in the words that somebody chooses, and in when they speak.

In a life, the gladder somebody is the gladder their words have to be: Spearman's rank correlation,
each persona's figures taken from its own mean. And the more awake they are the sooner their next
post has to come: a wait's likelihood to be as short, by the distribution of somebody in no mood,
is uniform when moods count for nothing, so its distance from a half, weighed by how much the mood
quickens, sums up to nothing; the score test tells how far from it.

What else goes with a mood may be the cause of it there; so each persona is also asked for the same
texts twice, once in a glad mood and once in a low one, with all else alike, and the difference of
the words' valences is tested after Wilcoxon (signed ranks).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2, sqrt
from statistics import NormalDist, fmean
from typing import Final

from scipy import stats

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.fading import FEWEST
from puppet_engine.measures.reading import CAST, Reading, told

SIGNIFICANCE: Final = 0.01

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Worded:
    """What somebody wrote: the valence of the mood, and that of the words."""

    mood: float
    words: float


@dataclass(frozen=True, slots=True)
class Paced:
    """When somebody spoke: by how much the mood stretched the wait, and how it came out.

    `share` is how likely a wait as short would have been to somebody in no mood, 0 to 1.
    """

    factor: float
    share: float


@dataclass(frozen=True, slots=True)
class Twice:
    """The valences of two texts of one occasion: written in a glad mood, and in a low one."""

    glad: float
    low: float


class Showing(Noun):
    """How moods show."""

    readings: list[Reading]
    shifts: dict[str, list[float]]
    """The mean valence of the words in a low and in a glad mood, by handle."""


def showing(
    worded: Mapping[str, Sequence[Worded]],
    paced: Mapping[str, Sequence[Paced]],
    twice: Mapping[str, Sequence[Twice]],
) -> Showing:
    """Measure how the moods of each handle show."""
    in_words = {who: [(it.mood, it.words) for it in several] for who, several in worded.items()}
    return Showing(
        readings=[
            *_together("mood and words", in_words),
            *_quickened(paced),
            *(_shifted(handle, several) for handle, several in sorted(twice.items())),
        ],
        shifts={
            handle: [fmean(one.low for one in several), fmean(one.glad for one in several)]
            for handle, several in sorted(twice.items())
            if several
        },
    )


def _together(what: str, pairs: Mapping[str, Sequence[Pair]]) -> Iterator[Reading]:
    """Yield how two things go together, of the cast; and told, of each of it."""
    centred = {handle: _from_their_mean(several) for handle, several in sorted(pairs.items())}
    everything = [pair for several in centred.values() for pair in several]
    rho, probability = _correlation(everything)
    yield Reading(
        of=f"rank correlation of {what}",
        whose=CAST,
        value=rho,
        line=f"above 0, by chance once in {1 / SIGNIFICANCE:.0f} at the most",
        holds=probability < SIGNIFICANCE,
        count=len(everything),
    )
    for handle, several in centred.items():
        if len(several) >= FEWEST:
            rho, _ = _correlation(several)
            yield told(f"rank correlation of {what}", rho, count=len(several), whose=handle)


def _quickened(paced: Mapping[str, Sequence[Paced]]) -> Iterator[Reading]:
    """Yield how much sooner posts come in a mood of twice the pace: the cast's, and each one's."""
    found = {CAST: [one for several in paced.values() for one in several], **paced}
    for whose, several in found.items():
        pace = [-log2(one.factor) for one in several]
        weight = sum(each**2 for each in pace)
        score = sum(each * (1 / 2 - one.share) for each, one in zip(pace, several, strict=True))
        of, value = (
            "by how much sooner posts come at twice the pace",
            score / weight if weight else 0.0,
        )
        if whose == CAST:
            # A uniform share has a variance of 1/12.
            deviations = score / sqrt(weight / 12) if weight else 0.0
            yield Reading(
                of=of,
                whose=whose,
                value=value,
                line=f"above 0, by chance once in {1 / SIGNIFICANCE:.0f} at the most",
                holds=len(several) >= FEWEST and NormalDist().cdf(-deviations) < SIGNIFICANCE,
                count=len(several),
                unit="share",
            )
        elif len(several) >= FEWEST:
            yield told(of, value, count=len(several), whose=whose, unit="share")


def _from_their_mean(pairs: Sequence[Pair]) -> list[Pair]:
    if not pairs:
        return []
    mean_one, mean_other = fmean(one for one, _ in pairs), fmean(other for _, other in pairs)
    return [(one - mean_one, other - mean_other) for one, other in pairs]


def _correlation(pairs: Sequence[Pair]) -> tuple[float, float]:
    """Return the rank correlation, and how likely one as great is by chance."""
    ones, others = [one for one, _ in pairs], [other for _, other in pairs]
    if len(pairs) < FEWEST or len(set(ones)) < 2 or len(set(others)) < 2:  # noqa: PLR2004 - nothing to rank
        return 0.0, 1.0
    found = stats.spearmanr(ones, others, alternative="greater")
    return float(found.statistic), float(found.pvalue)


def _shifted(handle: str, twice: Sequence[Twice]) -> Reading:
    differences = [one.glad - one.low for one in twice]
    probability = 1.0
    if len(differences) >= FEWEST and any(differences):
        probability = float(stats.wilcoxon(differences, alternative="greater").pvalue)
    return Reading(
        of="by how much gladder the same is said in a glad mood than in a low one",
        whose=handle,
        value=fmean(differences) if differences else 0.0,
        line=f"above 0, by chance once in {1 / SIGNIFICANCE:.0f} at the most",
        holds=probability < SIGNIFICANCE,
        count=len(differences),
    )
