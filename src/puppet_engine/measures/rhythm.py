"""How somebody paces what they say: beside their persona, a clock, chance, and people.

Where each wait was drawn from is tested elsewhere, one by one; here it is how they follow each
other. Burstiness and memory are those of K.-I. Goh and A.-L. Barabási, "Burstiness and memory in
complex systems" (EPL 81, 2008): a clock has a burstiness of -1, chance one of 0, and what people
do comes in bursts. Waits of people follow a power law, and those of timers do not: C. M. Tavares
and A. Faisal, "Scaling-Laws of Human Broadcast Communication Enable Distinction between Human,
Corporate and Robot Twitter Users" (PLoS ONE 8, 2013). Personas are declared as programs, so
nothing here asks whether they could be mistaken for people: only whether they pace themselves as
people are used to, within the shortest and the longest wait of the persona.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, pstdev
from typing import Final

import numpy as np

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.reading import Reading, told
from puppet_engine.measures.timing import SIGNIFICANCE

FEWEST: Final = 20
"""Of fewer waits nothing can be told."""

ALIKE: Final = 1.15
"""Lives are drawn at the moments of the one that is measured, and so vary less than lives of their
own would: by so much (120 lives of one persona, 81 waits each)."""

_AS_PEOPLE: Final = "how much likelier a wait is by a power law, as of people, than by a timer"

_POWERS: Final = np.linspace(-6.0, -1.0, 251)
"""The exponents of power laws that are tried: at -1 each doubling of a wait is as likely."""

_RATES: Final = np.linspace(-12.0, 12.0, 601)
"""The rates of timers that are tried, for each longest wait; at 0 each wait is as likely."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The waits of somebody, in their order, and what they were drawn from."""

    waits: Sequence[float]
    """In hours."""
    transforms: Sequence[float]
    """How likely it was that each was as short."""
    bounds: tuple[float, float]
    """The shortest and the longest wait that the persona allows, in hours."""
    drawn: Sequence[Sequence[float]]
    """The waits of other lives, drawn from the same."""


class Rhythm(Noun):
    """How everybody paces themselves."""

    readings: list[Reading]


def rhythm(paces: Mapping[str, Pace]) -> Rhythm:
    """Hold how the waits of each handle follow each other to what their persona asks for."""
    # Two tests of each: how uneven the waits are, and how they go with each other.
    edge = NormalDist().inv_cdf(1 - SIGNIFICANCE / max(1, 4 * len(paces)))
    readings: list[Reading] = []
    for handle, pace in sorted(paces.items()):
        count = len(pace.waits)
        readings += [
            _burstiness(handle, pace, edge),
            _order(handle, pace, edge),
            told("memory of waits", memory(pace.waits), count=count, whose=handle),
            told(_AS_PEOPLE, like_people(pace.waits, pace.bounds), count=count, whose=handle),
        ]
    return Rhythm(readings=readings)


def burstiness(waits: Sequence[float]) -> float:
    """Return B = (s - m) / (s + m) of waits: -1 as a clock, 0 at random, 1 all at once."""
    if not waits:
        return 0.0
    mean, spread = fmean(waits), pstdev(waits)
    return (spread - mean) / (spread + mean) if spread + mean else 0.0


def memory(waits: Sequence[float]) -> float:
    """Return how each wait goes with the one before it: Pearson's correlation, -1 to 1."""
    if len(waits) < 3 or pstdev(waits[:-1]) == 0 or pstdev(waits[1:]) == 0:  # noqa: PLR2004 - two pairs
        return 0.0
    return float(np.corrcoef(waits[:-1], waits[1:])[0, 1])


def like_people(waits: Sequence[float], bounds: tuple[float, float]) -> float:
    """Return how much likelier waits are by a power law than by a timer of random waits.

    That is the logarithm of the ratio of both likelihoods, for each wait; both laws are cut off
    at the bounds, and each has the exponent that makes the waits likeliest.
    """
    low, high = bounds
    if not waits or low >= high:
        return 0.0
    share = np.clip(np.asarray(waits, dtype=np.float64), low, high) / high
    first = low / high
    # Of both densities, over waits as shares of the longest: what lies below them in all.
    power, beyond = _POWERS, _POWERS + 1
    below_power = np.where(
        beyond == 0, -np.log(first), (1 - first**beyond) / np.where(beyond == 0, 1, beyond)
    )
    is_even = np.abs(_RATES) < 1e-9  # noqa: PLR2004 - rounded
    rate = np.where(is_even, 1, _RATES)
    below_timer = np.where(is_even, 1 - first, (np.exp(rate) - np.exp(rate * first)) / rate)
    by_power = power * np.log(share).mean() - np.log(below_power)
    by_timer = _RATES * share.mean() - np.log(below_timer)
    return float(by_power.max() - by_timer.max())


def _burstiness(handle: str, pace: Pace, edge: float) -> Reading:
    value = burstiness(pace.waits)
    lives = [burstiness(one) for one in pace.drawn]
    mean, spread = (fmean(lives), pstdev(lives)) if lives else (0.0, 0.0)
    most = edge * ALIKE * spread
    low, high = mean - most, mean + most
    return Reading(
        of="burstiness of waits (a clock's is -1, that of chance 0)",
        whose=handle,
        value=value,
        line=f"{low:.3f} to {high:.3f}, as of lives drawn from the persona",
        holds=len(pace.waits) >= FEWEST and bool(lives) and low <= value <= high,
        count=len(pace.waits),
    )


def _order(handle: str, pace: Pace, edge: float) -> Reading:
    """Test whether waits are drawn each for itself: rank correlation of each with the next."""
    ranks = np.argsort(np.argsort(np.asarray(pace.transforms))).astype(np.float64)
    pairs = max(1, len(ranks) - 1)
    found = memory(list(map(float, ranks)))
    most = edge / sqrt(pairs)
    return Reading(
        of="correlation of a wait with the one before, by what both were drawn from",
        whose=handle,
        value=found,
        line=f"within {most:.3f} of 0",
        holds=len(pace.waits) >= FEWEST and abs(found) <= most,
        count=pairs,
    )
