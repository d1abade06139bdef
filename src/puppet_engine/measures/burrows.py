"""Burrows's Delta: how far two authors lie apart by how often they use the commonest words.

The mean absolute difference of the z-scores of the words' rates: Burrows, "'Delta': a measure of
stylistic difference and a guide to likely authorship" (LLC 17, 2002).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from puppet_engine.style.repetition import print_of

COMMONEST: Final = 150
"""So many of the commonest words make a profile, as Burrows took them."""

Profiles: TypeAlias = NDArray[np.float64]


def profiles(voices: Sequence[Sequence[str]]) -> Profiles:
    """Return what the texts of each voice are like, shape (voices, words): z-scores among them."""
    if not voices:
        return np.zeros((0, 0))
    counted = [Counter(word for text in said for word in print_of(text).words) for said in voices]
    together: Counter[str] = Counter()
    for one in counted:
        together.update(one)
    commonest = sorted(together, key=lambda word: (-together[word], word))[:COMMONEST]
    rates = np.array(
        [[one[word] / max(1, one.total()) for word in commonest] for one in counted]
    ).reshape(len(voices), len(commonest))
    spread = rates.std(axis=0)
    spread[spread == 0] = 1
    scores: Profiles = (rates - rates.mean(axis=0)) / spread
    return scores


def deltas(one: Profiles, others: Profiles) -> Profiles:
    """Return how far one profile, shape (words,), lies from others, shape (others, words)."""
    if not one.size:
        return np.zeros(len(others))
    apart: Profiles = np.abs(others - one).mean(axis=1)
    return apart
