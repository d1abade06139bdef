"""Results that do not repeat one another: maximal marginal relevance."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timber.common.vector.numerics import numpy

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors


def diversified(
    relevance: Sequence[float], vectors: "Vectors", *, diversity: float, limit: int
) -> list[int]:
    """Return which to take, in order: relevant, and unlike what was taken before.

    The next is the one with the highest (1 - diversity) * relevance - diversity * likeness, the
    likeness being the highest cosine to one that was taken (Carbonell and Goldstein, 1998). Equal
    ones come in the order in which they are given. `relevance` has n numbers from 0 to 1, and
    `vectors` the shape (n, dimension), each of length one or, where it is unknown, of zeros.
    """
    np = numpy()
    left = (1 - diversity) * np.asarray(relevance, dtype=np.float64)
    likeness = np.full(len(left), -np.inf)
    taken: list[int] = []
    for _ in range(min(limit, len(left))):
        # Nothing was taken before the first.
        gain = left - diversity * likeness if taken else left.copy()
        gain[taken] = -np.inf
        best = int(np.argmax(gain))
        taken.append(best)
        likeness = np.maximum(likeness, vectors @ vectors[best])
    return taken
