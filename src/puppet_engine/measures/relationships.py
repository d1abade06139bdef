"""Whether agents answer those more often whom they like: Spearman's rank correlation.

What somebody might have answered is sorted by affinity into ten bands of the same number; in each
the share that was answered is taken, beside what the persona answers on average.

Affinity fades between two looks at somebody who said nothing in between: by what half-life is told
as that of moods. And three of the cast are in balance when the product of how they like each other
is positive (D. Cartwright and F. Harary, "Structural balance", Psychological Review 63, 1956).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from math import prod
from statistics import fmean
from typing import Final

from scipy import stats

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.fading import FEWEST, OFF_BY, Span, half_life_of, spans
from puppet_engine.measures.reading import CAST, Reading, told

LEAST_RHO: Final = 0.6
BANDS: Final = 10
FEWEST_IN_BAND: Final = 10


@dataclass(frozen=True, slots=True)
class Weighed:
    """Somebody's words that an agent could have answered."""

    who: str
    whom: str
    """Who said them."""
    affinity: float
    """To who said them, at that moment, from -1 to 1."""
    is_answered: bool


@dataclass(frozen=True, slots=True)
class Stood:
    """How somebody stood with another at a moment, in the order of moments."""

    who: str
    whom: str
    at: datetime
    affinity: float
    rest: float
    """What it fades to."""
    has_heard: bool
    """Whether the other had said something right before, which moved it."""


class Band(Noun):
    """Some of the words that could have been answered, alike in affinity."""

    affinity: float
    answered: float
    """The share that was answered, beyond that of who they were said to; -1 to 1."""
    count: int


class Relationships(Noun):
    """How affinity and answers go together."""

    readings: list[Reading]
    bands: list[Band]


def relationships(
    weighed: Sequence[Weighed], stood: Sequence[Stood], *, half_life: timedelta
) -> Relationships:
    """Measure by how much those are answered more who are liked more, and how affinity fades."""
    bands = list(_bands(weighed))
    enough = len(bands) == BANDS and len({band.affinity for band in bands}) > 1
    rho = _rho([(band.affinity, band.answered) for band in bands]) if enough else 0.0
    held = Reading(
        of="rank correlation of affinity and answers",
        whose=CAST,
        value=rho,
        line=f"above {LEAST_RHO:g}",
        holds=enough and rho > LEAST_RHO,
        count=len(weighed),
    )
    readings = [held, _fading(stood, half_life), *_asymmetry(weighed), *_balance(weighed)]
    return Relationships(readings=readings, bands=bands)


def _fading(stood: Sequence[Stood], half_life: timedelta) -> Reading:
    last: dict[tuple[str, str], Stood] = {}
    found: list[Span] = []
    for one in stood:
        earlier = last.get((one.who, one.whom))
        if earlier is not None and not one.has_heard:
            passed = (one.at - earlier.at) / timedelta(days=1)
            found += spans(earlier.affinity, one.affinity, rest=one.rest, passed=passed)
        last[one.who, one.whom] = one
    days, wanted = half_life_of(found), half_life / timedelta(days=1)
    return Reading(
        of="half-life of affinity, in days",
        whose=CAST,
        value=days,
        line=f"{wanted:g}, to {OFF_BY:.0%}",
        holds=len(found) >= FEWEST and abs(days / wanted - 1) <= OFF_BY,
        count=len(found),
    )


def _rho(pairs: Sequence[tuple[float, float]]) -> float:
    if len({one for one, _ in pairs}) < 2 or len({other for _, other in pairs}) < 2:  # noqa: PLR2004 - nothing to rank
        return 0.0
    return float(
        stats.spearmanr([one for one, _ in pairs], [other for _, other in pairs]).statistic
    )


def _bands(weighed: Sequence[Weighed]) -> Iterator[Band]:
    """Yield ten bands; none of fewer than a hundred words."""
    if len(weighed) < BANDS * FEWEST_IN_BAND:
        return
    usual = {who: fmean(one.is_answered for one in mine) for who, mine in _by_who(weighed).items()}
    ordered = sorted(weighed, key=lambda one: (one.affinity, one.who, one.whom))
    for band in range(BANDS):
        some = ordered[band * len(ordered) // BANDS : (band + 1) * len(ordered) // BANDS]
        yield Band(
            affinity=round(fmean(one.affinity for one in some), 4),
            answered=round(fmean(one.is_answered - usual[one.who] for one in some), 4),
            count=len(some),
        )


def _by_who(weighed: Sequence[Weighed]) -> dict[str, list[Weighed]]:
    found: defaultdict[str, list[Weighed]] = defaultdict(list)
    for one in weighed:
        found[one.who].append(one)
    return found


def _asymmetry(weighed: Sequence[Weighed]) -> Iterator[Reading]:
    """Yield by how much the two of a pair differ in what they feel for each other, at the end."""
    last = {(one.who, one.whom.lower()): one.affinity for one in weighed}
    pairs = [
        abs(felt - last[whom, who])
        for (who, whom), felt in sorted(last.items())
        if who < whom and (whom, who) in last
    ]
    if pairs:
        yield told("by how much affinity is not returned", fmean(pairs), count=len(pairs))


def _balance(weighed: Sequence[Weighed]) -> Iterator[Reading]:
    """Yield which share of those three who all know each other is in balance, at the end."""
    last = {(one.who, one.whom.lower()): one.affinity for one in weighed}
    mutual = {
        frozenset((who, whom)): felt + last[whom, who]
        for (who, whom), felt in last.items()
        if (whom, who) in last
    }
    people = sorted({who for pair in mutual for who in pair})
    threes = [
        [frozenset(two) for two in combinations(three, 2)] for three in combinations(people, 3)
    ]
    found = [
        prod(mutual[pair] for pair in pairs) > 0
        for pairs in threes
        if all(pair in mutual for pair in pairs)
    ]
    if found:
        yield told("threes in balance", fmean(found), count=len(found), unit="share")
