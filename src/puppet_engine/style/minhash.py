"""MinHash in bands: marks of sets, of which two that are much alike share one.

Broder, "On the resemblance and containment of documents" (1997); Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", 3.3 and 3.4. Of sets whose likeness (Jaccard's index) is s, so many
share a mark: 1 - (1 - s^3)^8.
"""

import random
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint64]

BANDS: Final = 8
_ROWS: Final = 3

PRIME: Final = (1 << 61) - 1
_RANDOM: Final = random.Random(1997)  # noqa: S311 - the same in every process, and no secret
FUNCTIONS: Final = tuple(
    (_RANDOM.randrange(1, PRIME), _RANDOM.randrange(PRIME)) for _ in range(BANDS * _ROWS)
)
"""Of each hash function the factor and what is added, modulo the prime."""

_LOW_BITS: Final = 31
"""The lower part of a factor: so no product with 32 bits has more than 64."""
_HIGH_BITS: Final = 61 - _LOW_BITS


def _column(numbers: Iterable[int]) -> Hashes:
    return np.array(list(numbers), dtype=np.uint64)[:, None]


_HIGH: Final = _column(factor >> _LOW_BITS for factor, _ in FUNCTIONS)
_LOW: Final = _column(factor % (1 << _LOW_BITS) for factor, _ in FUNCTIONS)
_ADDED: Final = _column(added for _, added in FUNCTIONS)


def marks(members: Iterable[str]) -> tuple[int, ...]:
    """Return the marks of a set that is not empty: `BANDS` numbers of 64 bits with a sign."""
    numbers = np.array([crc32(one.encode()) for one in members], dtype=np.uint64)
    least = hashed(numbers).min(axis=1).tolist()
    bands = ((band, least[band::BANDS]) for band in range(BANDS))
    return tuple(
        int.from_bytes(blake2b(repr(band).encode(), digest_size=8).digest(), signed=True)
        for band in bands
    )


def hashed(numbers: Hashes) -> Hashes:
    """Return the hashes, shape (functions, n), of numbers of 32 bits, shape (n,)."""
    high = numbers * _HIGH % PRIME
    # 2^61 is 1 here: what a shift moves beyond the 61 bits comes in again at the lower end.
    high = (high >> _HIGH_BITS) + (high % (1 << _HIGH_BITS) << _LOW_BITS)
    found: Hashes = (high + numbers * _LOW % PRIME + _ADDED) % PRIME
    return found
