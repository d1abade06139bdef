"""Floats in a quarter of their size, and how far a product with them can be from the true one.

A number becomes the nearest of 255 multiples of its row's scale, so a vector x is x' + e with a
short e. The product of the true vectors lies near that of the short ones, by Cauchy and Schwarz:
|q·x - q'·x'| = |q'·e + (q - q')·x| <= |q'| |e| + |q - q'| |x|.
So what is out of reach of the best is known without its true product: the search stays exact.
"""

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from timber.common.vector.simd import Packed

Floats: TypeAlias = NDArray[np.float32]

SLICE: Final = 16384
"""How many rows are compared at once; between two slices other threads get their turn."""

_MOST: Final = 127

_ROUNDING: Final = 1e-5
"""More than float32 rounds off in a product of vectors of length one."""


@dataclass(frozen=True, eq=False)
class Codes:
    """The short form of some vectors."""

    parts: tuple[Packed, ...]
    """One for each slice of rows."""
    scales: Floats
    """Shape (n,): what a step is worth in each row."""
    errors: Floats
    """The longest e in each slice of rows."""
    reach: float
    """How long the longest vector is."""

    @property
    def nbytes(self) -> int:
        parts = sum(part.nbytes for part in self.parts)
        return parts + self.scales.nbytes + self.errors.nbytes


def shortened(vectors: Floats) -> Codes:
    """Return the short form of vectors, shape (n, dimension)."""
    scales = np.empty(len(vectors), dtype=np.float32)
    parts, errors, reach = [], [], 0.0
    for start in range(0, len(vectors), SLICE):
        part = slice(start, start + SLICE)
        whole = vectors[part]
        step = np.abs(whole).max(axis=1, initial=0) / _MOST
        step[step == 0] = 1
        rounded = np.rint(whole / step[:, None])
        scales[part] = step
        parts.append(Packed(rounded.astype(np.int8)))
        errors.append(_longest(whole - rounded * step[:, None]))
        reach = max(reach, _longest(whole))
    return Codes(tuple(parts), scales, np.array(errors, dtype=np.float32), reach)


def _longest(vectors: Floats) -> float:
    return float(np.sqrt(np.einsum("ij,ij->i", vectors, vectors).max(initial=0)))


def _length(vector: Floats) -> float:
    return math.sqrt(np.vdot(vector, vector))


class ShortQuery:
    """What is searched for, in its short form."""

    def __init__(self, vector: Floats) -> None:
        """Take a vector, shape (1, dimension)."""
        row = vector[0]
        sizes = np.abs(row)
        self.step = float(sizes[sizes.argmax()]) / _MOST or 1.0
        """What is worth one in what `products` returns."""
        steps = row * (1 / self.step)
        rounded = np.rint(steps)
        self._code = rounded.astype(np.int8).reshape(1, -1)
        self._length = _length(rounded) * self.step
        rounded -= steps
        self._error = _length(rounded) * self.step

    def products(self, codes: Codes, start: int) -> Floats:
        """Return the products with the rows of the slice that begins there, in steps."""
        found = codes.parts[start // SLICE].products(self._code)
        # float32 rounds off less of them than `_ROUNDING`.
        return np.multiply(found, codes.scales[start : start + SLICE], dtype=np.float32)

    def slack(self, codes: Codes, start: int) -> float:
        """Return how far those of the slice that begins there can be from the true ones.

        Not in steps, but as they are.
        """
        error = float(codes.errors[start // SLICE])
        return self._length * error + self._error * codes.reach + _ROUNDING
