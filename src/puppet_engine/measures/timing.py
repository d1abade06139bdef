"""Whether things happen when their specification says: the probability integral transform.

Each moment was drawn from a distribution. The value of its distribution function there is uniform
between 0 and 1 if, and only if, the moments follow it; that is tested after Kolmogorov and
Smirnov, which sees a shift, and after Anderson and Darling, which sees the tails.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from scipy import stats

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.reading import CAST, Reading

TESTED: Final = 500
"""So many moments of one persona are tested, the last ones: more would find what nobody minds."""

SIGNIFICANCE: Final = 0.05
"""How likely it may be that any of all tests rejects what is right (Bonferroni)."""

BINS: Final = 20


class Timing(Noun):
    """How well moments follow what they were drawn from."""

    readings: list[Reading]
    bins: dict[str, list[int]]
    """How many values of the transform lie in each twentieth, by handle."""


def timing(what: str, values: Mapping[str, Sequence[float]]) -> Timing:
    """Test the transforms of the moments of each handle, and those of all together.

    Raises:
        ValueError: a value lies outside of 0 to 1: it is of no distribution function.

    """
    tested = {handle: list(found)[-TESTED:] for handle, found in sorted(values.items())}
    if any(not 0 <= one <= 1 for found in tested.values() for one in found):
        raise ValueError(f"{what}: a transform lies outside of 0 to 1; give values of a cdf")
    everything = [one for found in tested.values() for one in found]
    step = max(1, len(everything) / TESTED)
    together = [everything[int(at * step)] for at in range(int(len(everything) / step))]
    subjects = {**tested, CAST: together} if len(tested) > 1 else tested
    readings = [_tested(what, handle, found, len(subjects)) for handle, found in subjects.items()]
    bins = {handle: _binned(found) for handle, found in tested.items()}
    return Timing(readings=readings or [_tested(what, CAST, [], 1)], bins=bins)


def p_value(values: Sequence[float]) -> float:
    """Return how likely uniform values are to lie as far off: the lesser of two tests', twice."""
    inside = np.clip(np.asarray(values), 1e-12, 1 - 1e-12)
    smirnov = float(stats.kstest(inside, "uniform").pvalue)
    return min(1.0, 2 * min(smirnov, _anderson_darling(inside)))


def _tested(what: str, handle: str, values: Sequence[float], tests: int) -> Reading:
    least = SIGNIFICANCE / tests
    probability = p_value(values) if values else 0.0
    return Reading(
        of=f"probability of {what}, by what they were drawn from",
        whose=handle,
        value=probability,
        line=f"at least {least:.2%}",
        holds=bool(values) and probability >= least,
        count=len(values),
    )


def _anderson_darling(values: "np.ndarray") -> float:
    found = stats.goodness_of_fit(
        stats.uniform,
        values,
        known_params={"loc": 0, "scale": 1},
        statistic="ad",
        n_mc_samples=1999,
        rng=np.random.default_rng(1954),
    )
    return float(found.pvalue)


def _binned(values: Sequence[float]) -> list[int]:
    counts, _ = np.histogram(np.asarray(values), bins=BINS, range=(0, 1))
    return [int(one) for one in counts]
