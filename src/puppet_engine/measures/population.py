"""Whether personas stay apart, from each other and over time: those of a cast, and of a crowd.

Their distance is Burrows's Delta (`burrows.py`). A cast whose personas lie no farther apart than
the halves of one persona has collapsed into one voice, and one whose words become fewer over its
life is on its way there. Of a crowd not each two can differ; of a crowd in one voice, the halves
of one persona lie as far apart as those of two.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean
from typing import Final

import numpy as np

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.burrows import Profiles, deltas, profiles
from puppet_engine.measures.reading import CAST, CROWD, Reading, told
from puppet_engine.style.repetition import print_of

LEAST_KEPT: Final = 0.9
"""So much of their variety the last third of the cast's texts must have of the first's."""

LEAST_APART: Final = 0.8
"""So often somebody of a crowd must be nearer to themselves than to another: by chance it is half.

With 48 texts of each. Where half of a crowd speaks with one voice, it is 0.75."""

FEWEST: Final = 10

STEPS: Final = 24
"""Into so many steps the distances in a crowd are divided, from none to the greatest."""


class Crowd(Noun):
    """How far those of a crowd lie apart: the share of the distances in each step."""

    size: int
    own: list[float]
    """Of the two halves of one's texts."""
    others: list[float]
    """Of halves of two."""
    farthest: float
    """The Delta that the last step ends with."""


class Population(Noun):
    """How far apart the personas lie."""

    readings: list[Reading]
    handles: list[str]
    deltas: list[list[float]]
    """Burrows's Delta between each two; of one, between the odd and the even half of its texts."""
    variety: list[float]
    """The share of distinct trigrams in each tenth of the life, over texts of all."""
    crowd: Crowd | None = None


def population(
    texts: Mapping[str, Sequence[str]],
    in_order: Sequence[str],
    *,
    crowd: Mapping[str, Sequence[str]] | None = None,
) -> Population:
    """Compare the texts of each handle with each other's; `in_order` are those of all by time.

    Those of a `crowd` are compared among themselves.
    """
    handles, halves = _halves(texts)
    pairs = list(zip(halves[::2], halves[1::2], strict=True))
    apart = [[_apart(one, other, is_same=one is other) for other in pairs] for one in pairs]
    variety = _variety(in_order)
    readings = [*_told_apart(handles, apart), _kept(variety, len(in_order))]
    found, reading = (None, None) if crowd is None else _crowd(crowd)
    return Population(
        readings=readings if reading is None else [*readings, reading],
        handles=handles,
        deltas=[[round(delta, 4) for delta in row] for row in apart],
        variety=variety,
        crowd=found,
    )


def _halves(texts: Mapping[str, Sequence[str]]) -> tuple[list[str], Profiles]:
    """Return who said enough, and the profiles of their halves: both of one, then of the next."""
    handles = sorted(handle for handle, said in texts.items() if len(said) >= FEWEST)
    both = [texts[handle][start::2] for handle in handles for start in (0, 1)]
    return handles, profiles(both)


def _crowd(texts: Mapping[str, Sequence[str]]) -> tuple[Crowd | None, Reading]:
    handles, halves = _halves(texts)
    size = len(handles)
    between = np.array([deltas(one, halves[1::2]) for one in halves[::2]]).reshape(size, size)
    own, others = between.diagonal(), np.sort(between[~np.eye(size, dtype=bool)])
    nearer = _less(own, others) if len(others) else 0.0
    reading = Reading(
        of="how often one is nearer to oneself than to another",
        whose=CROWD,
        value=nearer,
        line=f"at least {LEAST_APART:.0%}",
        holds=nearer >= LEAST_APART,
        count=size,
        unit="share",
    )
    if not len(others):
        return None, reading
    farthest = float(between.max()) or 1.0
    shares = [np.histogram(some, STEPS, (0, farthest))[0] / len(some) for some in (own, others)]
    return Crowd(
        size=size,
        own=[round(share, 4) for share in shares[0].tolist()],
        others=[round(share, 4) for share in shares[1].tolist()],
        farthest=round(farthest, 4),
    ), reading


def _less(some: Profiles, others: Profiles) -> float:
    """Return in what share of pairs the one of `some` is less; both as much count a half.

    It is Mann and Whitney's U, as a share; `others` are in order.
    """
    below = [float(np.searchsorted(others, some, side).mean()) for side in ("left", "right")]
    return 1 - fmean(below) / len(others)


def _apart(
    one: tuple[Profiles, Profiles], other: tuple[Profiles, Profiles], *, is_same: bool
) -> float:
    """Return the Delta of halves of two personas, or of the two halves of one."""
    if is_same:
        return float(deltas(one[0], one[1][None])[0])
    return fmean(delta for mine in one for delta in deltas(mine, np.array(other)).tolist())


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
