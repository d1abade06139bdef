"""Whether the personas of a cast stay apart, from each other and over time.

The distance of two texts is Burrows's Delta ("'Delta': a measure of stylistic difference", LLC
2002): the mean absolute difference of z-scores of the commonest words' frequencies. A cast whose
personas lie no farther apart than the halves of one persona has collapsed into one voice, and
one whose words become fewer over its life is on its way there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean, pstdev
from typing import Final

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.reading import CAST, Reading, told
from puppet_engine.style.repetition import print_of

COMMONEST: Final = 150
"""So many of the cast's commonest words make a profile, as Burrows took them."""

LEAST_KEPT: Final = 0.9
"""So much of their variety the last third of the cast's texts must have of the first's."""

FEWEST: Final = 10


class Population(Noun):
    """How far apart the personas lie."""

    readings: list[Reading]
    handles: list[str]
    deltas: list[list[float]]
    """Burrows's Delta between each two; of one, between the odd and the even half of its texts."""
    variety: list[float]
    """The share of distinct trigrams in each tenth of the life, over texts of all."""


def population(texts: Mapping[str, Sequence[str]], in_order: Sequence[str]) -> Population:
    """Compare the texts of each handle with each other's; `in_order` are those of all by time."""
    handles = sorted(handle for handle, said in texts.items() if len(said) >= FEWEST)
    halves = {handle: (texts[handle][::2], texts[handle][1::2]) for handle in handles}
    profiles = _profiles([half for handle in handles for half in halves[handle]])
    pairs = [(profiles[at], profiles[at + 1]) for at in range(0, len(profiles), 2)]
    deltas = [[_apart(one, other, is_same=one is other) for other in pairs] for one in pairs]
    variety = _variety(in_order)
    return Population(
        readings=[*_told_apart(handles, deltas), _kept(variety, len(in_order))],
        handles=handles,
        deltas=[[round(delta, 4) for delta in row] for row in deltas],
        variety=variety,
    )


Profile = Sequence[float]


def _profiles(halves: Sequence[Sequence[str]]) -> list[Profile]:
    counted = [Counter(word for text in half for word in print_of(text).words) for half in halves]
    together: Counter[str] = Counter()
    for one in counted:
        together.update(one)
    commonest = [word for word, _ in sorted(together.items(), key=lambda it: (-it[1], it[0]))]
    rates = [
        [one[word] / max(1, one.total()) for one in counted] for word in commonest[:COMMONEST]
    ]
    scored = [[(rate - fmean(row)) / (pstdev(row) or 1) for rate in row] for row in rates]
    return [list(column) for column in zip(*scored, strict=True)]


def _apart(
    one: tuple[Profile, Profile], other: tuple[Profile, Profile], *, is_same: bool
) -> float:
    """Return the Delta of halves of two personas, or of the two halves of one."""
    if is_same:
        return _delta(*one)
    return fmean(_delta(mine, theirs) for mine in one for theirs in other)


def _delta(one: Profile, other: Profile) -> float:
    return fmean(abs(here - there) for here, there in zip(one, other, strict=True))


def _told_apart(handles: Sequence[str], deltas: Sequence[Sequence[float]]) -> list[Reading]:
    pairs = list(combinations(range(len(handles)), 2))
    apart = [
        deltas[one][other] / (max(deltas[one][one], deltas[other][other]) or 1)
        for one, other in pairs
    ]
    nearest = min((deltas[one][other] for one, other in pairs), default=0.0)
    return [
        Reading(
            of="Delta of the two who are least apart, in Deltas of their own halves",
            whose=CAST,
            value=min(apart, default=0.0),
            line="above 1",
            holds=bool(apart) and min(apart) > 1,
            count=len(pairs),
        ),
        told("Delta of the nearest two", nearest, count=len(pairs)),
    ]


def _variety(in_order: Sequence[str], parts: int = 10) -> list[float]:
    """Return the share of distinct trigrams in each part, all parts of the same size."""
    size = len(in_order) // parts
    if not size:
        return []
    found = []
    for part in range(parts):
        spans = [_trigrams(text) for text in in_order[part * size : (part + 1) * size]]
        grams = [gram for one in spans for gram in one]
        found.append(round(len(set(grams)) / max(1, len(grams)), 4))
    return found


def _trigrams(text: str) -> list[tuple[str, ...]]:
    words = print_of(text).words
    return [words[at : at + 3] for at in range(len(words) - 2)]


def _kept(variety: Sequence[float], count: int) -> Reading:
    third = max(1, len(variety) // 3)
    first = fmean(variety[:third]) if variety else 0
    kept = fmean(variety[-third:]) / first if first else 0
    return Reading(
        of="variety of the last third of the life, of that of the first",
        whose=CAST,
        value=kept,
        line=f"at least {LEAST_KEPT:.0%}",
        holds=kept >= LEAST_KEPT,
        count=count,
        unit="share",
    )
