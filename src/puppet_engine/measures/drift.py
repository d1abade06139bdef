"""Whether somebody would notice that a persona speaks with another's voice, and how soon.

A watch learns how a persona writes from its first texts, beside how others write: how much
likelier each span of three to five characters is with it than with them. A text's likeness is the
mean of the logarithms of these ratios over its spans, and z says by how many standard deviations
a text is less like the persona than its own texts are. A cumulative sum (E. S. Page, "Continuous
inspection schemes", Biometrika 41, 1954) gathers what is too much: S = max(0, S + z - ALLOWANCE).
Above LIMIT the alarm goes off, and the sum begins anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, pstdev
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import (  # type: ignore[import-untyped] # it has no types
    HashingVectorizer,
)

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.authorship import bare
from puppet_engine.measures.reading import CAST, Reading, told

LEARNT_FROM: Final = 150
"""From so many texts a watch learns; a short life gives it half of what there is."""

FEWEST: Final = 20
"""From fewer nothing is learnt."""

FOLDS: Final = 5
ALLOWANCE: Final = 0.5
LIMIT: Final = 8.0
MOST_FROM_ONE: Final = 3.0
"""So much a single text can say: one odd word is no other person."""

SOON: Final = 20
MOST_FALSE: Final = 0.001
PLANTED_AFTER: Final = 50
"""After so many texts of their own, somebody else's are put in their place."""

_SMOOTHING: Final = 0.05
_SPANS: Final = HashingVectorizer(
    analyzer="char_wb", ngram_range=(3, 5), n_features=2**15, alternate_sign=False, norm=None
)

Counts = npt.NDArray[np.float64]
"""How often each span occurs."""


class Swap(Noun):
    """Somebody else's texts, put in the place of somebody's own."""

    handle: str
    by: str
    noticed_after: int | None
    """After how many of them the alarm went off; None when it did not."""


class Drift(Noun):
    """How well a change of the voice is noticed."""

    readings: list[Reading]
    swaps: list[Swap]
    courses: dict[str, list[float]]
    """The sum after each text, by handle: of their own, then of somebody else's."""
    planted: dict[str, int]
    """From which text on they are somebody else's."""


class Watch:
    """Knows how somebody writes, and sums up by how much new texts differ from it."""

    def __init__(self, texts: Sequence[str], others: Counts) -> None:
        counts = [_counted(texts[fold::FOLDS]) for fold in range(FOLDS)]
        whole = np.sum(counts, axis=0)
        self._weights = _weights(whole, others)
        # A text is more like what was learnt from itself: so each is left out once.
        like = [
            one
            for fold in range(FOLDS)
            for one in _likeness(texts[fold::FOLDS], _weights(whole - counts[fold], others))
        ]
        self._usual = fmean(like)
        self._spread = max(pstdev(like), 1e-9)

    def course(self, texts: Sequence[str]) -> Iterator[tuple[float, bool]]:
        """Yield the sum after each of some texts, and whether the alarm went off at it."""
        total = 0.0
        for like in _likeness(texts, self._weights):
            less = min((self._usual - like) / self._spread, MOST_FROM_ONE)
            total = max(0.0, total + less - ALLOWANCE)
            yield total, total > LIMIT
            total = 0.0 if total > LIMIT else total


def drift(texts: Mapping[str, Sequence[str]]) -> Drift:
    """Watch each handle over its life, and then with the texts of each other in their place.

    A watch has never seen a text of who is put in somebody's place.
    """
    bared = {handle: [bare(text) for text in said] for handle, said in sorted(texts.items())}
    known = {handle: said for handle, said in bared.items() if len(said) >= 2 * FEWEST}
    if len(known) < 3:  # noqa: PLR2004 - somebody, who takes their place, and who is neither
        return Drift(
            readings=[_noticed([]), _false_alarms({}, {})], swaps=[], courses={}, planted={}
        )
    learnt = {handle: said[: _learning(said)] for handle, said in known.items()}
    later = {handle: said[_learning(said) :] for handle, said in known.items()}
    counts = {handle: _counted(said) for handle, said in learnt.items()}
    everything: Counts = np.sum(list(counts.values()), axis=0)
    alarms, swaps, courses = {}, [], {}
    for handle in known:
        watch = Watch(learnt[handle], everything - counts[handle])
        alarms[handle] = sum(rings for _, rings in watch.course(later[handle]))
        for by in (other for other in known if other != handle):
            stranger = Watch(learnt[handle], everything - counts[handle] - counts[by])
            swap, course = _swapped(stranger, handle, by, later)
            swaps.append(swap)
            courses[handle] = course
    swaps.sort(key=lambda one: (one.handle, one.by))
    return Drift(
        readings=[
            _noticed(swaps),
            _on_average(swaps),
            _false_alarms(alarms, later),
            *_of_each(alarms, later),
        ],
        swaps=swaps,
        courses=courses,
        planted={handle: len(later[handle][:PLANTED_AFTER]) for handle in known},
    )


def _learning(said: Sequence[str]) -> int:
    return min(LEARNT_FROM, len(said) // 2)


def _counted(texts: Sequence[str]) -> Counts:
    return np.asarray(_SPANS.transform(texts).sum(axis=0), dtype=np.float64).ravel()


def _weights(own: Counts, others: Counts) -> Counts:
    """Return the logarithm of how much likelier each span is with somebody than with others."""
    mine = (own + _SMOOTHING) / (own.sum() + _SMOOTHING * own.size)
    theirs = (others + _SMOOTHING) / (others.sum() + _SMOOTHING * others.size)
    weights: Counts = np.log(mine / theirs)
    return weights


def _likeness(texts: Sequence[str], weights: Counts) -> list[float]:
    if not texts:
        return []
    spans = _SPANS.transform(texts)
    sums, sizes = spans @ weights, np.asarray(spans.sum(axis=1)).ravel()
    return [float(one) for one in sums / np.maximum(sizes, 1)]


def _swapped(
    watch: Watch, handle: str, by: str, later: Mapping[str, Sequence[str]]
) -> tuple[Swap, list[float]]:
    own, others = later[handle][:PLANTED_AFTER], later[by][: 2 * SOON]
    course = list(watch.course([*own, *others]))
    rings = [ring for _, ring in course[len(own) :]]
    swap = Swap(handle=handle, by=by, noticed_after=rings.index(True) + 1 if any(rings) else None)
    return swap, [round(total, 3) for total, _ in course[: len(own) + SOON]]


def _noticed(swaps: Sequence[Swap]) -> Reading:
    soon = sum(one.noticed_after is not None and one.noticed_after <= SOON for one in swaps)
    return Reading(
        of=f"swaps of personas noticed within {SOON} texts",
        whose=CAST,
        value=soon / max(1, len(swaps)),
        line="100 %",
        holds=bool(swaps) and soon == len(swaps),
        count=len(swaps),
        unit="share",
    )


def _on_average(swaps: Sequence[Swap]) -> Reading:
    after = [one.noticed_after for one in swaps if one.noticed_after is not None]
    return told("texts until a swap is noticed", fmean(after or [0]), count=len(after))


def _false_alarms(alarms: Mapping[str, int], later: Mapping[str, Sequence[str]]) -> Reading:
    count = sum(map(len, later.values()))
    share = sum(alarms.values()) / max(1, count)
    return Reading(
        of="false alarms per text",
        whose=CAST,
        value=share,
        line=f"below {MOST_FALSE:.1%}",
        holds=bool(count) and share < MOST_FALSE,
        count=count,
        unit="share",
    )


def _of_each(alarms: Mapping[str, int], later: Mapping[str, Sequence[str]]) -> Iterator[Reading]:
    for handle, number in alarms.items():
        yield told("false alarms", number, count=len(later[handle]), whose=handle)
