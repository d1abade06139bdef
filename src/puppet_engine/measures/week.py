"""Whether somebody speaks in the hours of the week that their persona and moods say.

Each moment had a likelihood for each hour of the local week. What was seen is laid beside the sum
of these likelihoods: the Jensen-Shannon divergence of both (J. Lin, "Divergence measures based on
the Shannon entropy", IEEE Trans. Inf. Theory 37, 1991), in bits, 0 to 1. How large it is by chance
alone is told by lives drawn from the same likelihoods.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.reading import Reading, told
from puppet_engine.measures.timing import SIGNIFICANCE

HOURS: Final = 168
"""Of a week: the first is that from midnight on Monday."""

LIVES: Final = 1_999
"""So many lives are drawn for comparison."""

Floats = npt.NDArray[np.float64]
Hour = tuple[int, Mapping[int, float]]
"""The hour of the week in which something came, and how likely each hour was."""


class Week(Noun):
    """When somebody spoke, and when they should have."""

    readings: list[Reading]
    seen: dict[str, list[float]]
    """The share of each hour of the day, by handle."""
    expected: dict[str, list[float]]


def week(what: str, hours: Mapping[str, Sequence[Hour]]) -> Week:
    """Compare the hours of each handle with what they were drawn from."""
    readings: list[Reading] = []
    seen: dict[str, list[float]] = {}
    expected: dict[str, list[float]] = {}
    for handle, moments in sorted(hours.items()):
        likely = _likely(moments)
        came = np.asarray([hour for hour, _ in moments], dtype=np.int64)
        counts = np.bincount(came, minlength=HOURS).astype(np.float64)
        divergence = _divergence(counts[None, :], likely.sum(axis=0))[0]
        probability = _probability(divergence, likely)
        readings += _readings(what, handle, divergence, probability, len(moments), len(hours))
        seen[handle] = _by_day(counts)
        expected[handle] = _by_day(likely.sum(axis=0))
    return Week(readings=readings, seen=seen, expected=expected)


def _readings(
    what: str, handle: str, divergence: float, probability: float, count: int, tests: int
) -> list[Reading]:
    least = SIGNIFICANCE / tests
    return [
        Reading(
            of=f"probability of the hours of the week of {what}",
            whose=handle,
            value=probability,
            line=f"at least {least:.2%}",
            holds=bool(count) and probability >= least,
            count=count,
        ),
        told(f"divergence of the hours of {what}, in bits", divergence, count=count, whose=handle),
    ]


def _likely(moments: Sequence[Hour]) -> Floats:
    likely = np.zeros((len(moments), HOURS))
    for row, (_, chances) in zip(likely, moments, strict=True):
        for hour, chance in chances.items():
            row[hour] += chance
    return likely


def _divergence(counts: Floats, expected: Floats) -> Floats:
    """Return the divergence of each row of counts from what is expected."""
    seen = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wanted = expected / max(expected.sum(), 1e-12)
    middle = (seen + wanted) / 2
    return _entropy(middle) - (_entropy(seen) + _entropy(wanted[None, :])) / 2


def _entropy(shares: Floats) -> Floats:
    found: Floats = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=-1)
    return found


def _probability(divergence: float, likely: Floats) -> float:
    """Return how likely a divergence is that is as great, of hours drawn as they should be."""
    if not len(likely):
        return 0.0
    chance = np.random.default_rng(1991)
    cumulative = np.cumsum(likely, axis=1)
    cumulative /= cumulative[:, -1:]
    counts, lives = np.zeros((LIVES, HOURS)), np.arange(LIVES)
    for row in cumulative:
        drawn = np.searchsorted(row, chance.random(LIVES), side="right")
        counts[lives, np.minimum(drawn, HOURS - 1)] += 1
    as_great = int((_divergence(counts, likely.sum(axis=0)) >= divergence - 1e-12).sum())
    return (as_great + 1) / (LIVES + 1)


def _by_day(counts: Floats) -> list[float]:
    shares = counts.reshape(7, 24).sum(axis=0) / max(counts.sum(), 1e-12)
    return [round(float(share), 4) for share in shares]
