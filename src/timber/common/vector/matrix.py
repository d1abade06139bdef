"""The vectors of some pieces in memory, as they were at one moment.

A matrix consists of blocks, and neither ever changes: whoever searches one is not disturbed by
whoever makes the next one from it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from timber.common.vector.quantisation import Codes, Floats, shortened

Numbers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

SHORTENED_FROM: Final = 800
"""From so many rows on the short form is worth its memory: one more quarter."""

_DEAD: Final = 4
"""A block is made anew when one row in so many is gone."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """Some vectors; those with `alive` False are there no more."""

    numbers: Numbers
    """Of the rows in the database, ascending."""
    chunk_ids: Numbers
    vectors: Floats
    """Shape (n, dimension)."""
    codes: Codes | None = None
    alive: Mask | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def count(self) -> int:
        """How many are there still."""
        return len(self) if self.alive is None else int(np.count_nonzero(self.alive))

    @property
    def nbytes(self) -> int:
        own = self.numbers.nbytes + self.chunk_ids.nbytes + self.vectors.nbytes
        return own + (self.codes.nbytes if self.codes else 0)

    def positions(self, chunk_ids: Numbers) -> Numbers:
        """Return where those of the pieces lie that are in this block, ascending."""
        ordered = self.chunk_ids[self._order]
        places = np.searchsorted(ordered, chunk_ids)
        places[places == len(ordered)] = 0
        found = self._order[places[ordered[places] == chunk_ids]] if len(ordered) else places[:0]
        found.sort()
        here: Numbers = found if self.alive is None else found[self.alive[found]]
        return here

    @cached_property
    def _order(self) -> Numbers:
        return np.asarray(np.argsort(self.chunk_ids, kind="stable"), dtype=np.int64)

    def numbered(self, numbers: Numbers) -> Numbers:
        """Return where the rows with these numbers lie, those that are alive in this block."""
        places = np.searchsorted(self.numbers, numbers)
        places[places == len(self)] = 0
        found = places[self.numbers[places] == numbers]
        here: Numbers = found if self.alive is None else found[self.alive[found]]
        return here

    def after(self, number: int) -> "Block":
        """Return the rows with higher numbers, without a short form."""
        part = slice(int(np.searchsorted(self.numbers, number, side="right")), None)
        return Block(
            numbers=self.numbers[part],
            chunk_ids=self.chunk_ids[part],
            vectors=self.vectors[part],
            alive=None if self.alive is None else self.alive[part],
        )

    def keeping(self, numbers: Numbers) -> "Block":
        """Return the block in which only these rows are alive."""
        alive = np.isin(self.numbers, numbers, assume_unique=True)
        if self.alive is not None:
            alive &= self.alive
        if alive.all():
            return self
        left = replace(self, alive=alive)
        return compact(left) if left.count * _DEAD < len(self) * (_DEAD - 1) else left


def compact(*blocks: Block) -> Block:
    """Return the rows that are alive in some blocks as one."""

    def joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
        pairs = zip(parts, blocks, strict=True)
        kept = [part if one.alive is None else part[one.alive] for part, one in pairs]
        return kept[0] if len(kept) == 1 else np.concatenate(kept)

    return block(
        numbers=joined([one.numbers for one in blocks]),
        chunk_ids=joined([one.chunk_ids for one in blocks]),
        vectors=joined([one.vectors for one in blocks]),
    )


def block(*, numbers: Numbers, chunk_ids: Numbers, vectors: Floats) -> Block:
    """Return a block, with the short form where it is large."""
    codes = shortened(vectors) if len(vectors) >= SHORTENED_FROM else None
    return Block(numbers=numbers, chunk_ids=chunk_ids, vectors=vectors, codes=codes)


def joined(parts: list[Block]) -> Block:
    """Return blocks as one, and let go of each as soon as it was copied."""
    count = sum(map(len, parts))
    numbers, chunk_ids = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    vectors = np.empty((count, parts[0].vectors.shape[1]), dtype=np.float32)
    start = 0
    parts.reverse()
    while parts:
        part = parts.pop()
        rows = slice(start, start + len(part))
        numbers[rows], chunk_ids[rows], vectors[rows] = part.numbers, part.chunk_ids, part.vectors
        start += len(part)
    return block(numbers=numbers, chunk_ids=chunk_ids, vectors=vectors)


class Origin:
    """What matrices share that were made one from the other: their numbers mean the same rows."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """The vectors of some pieces."""

    blocks: tuple[Block, ...] = ()
    origin: Origin = field(default_factory=Origin)

    @property
    def dimension(self) -> int | None:
        """How long the vectors are; None when there is none."""
        return int(self.blocks[0].vectors.shape[1]) if self.blocks else None

    @property
    def count(self) -> int:
        return sum(one.count for one in self.blocks)

    @property
    def nbytes(self) -> int:
        return sum(one.nbytes for one in self.blocks)

    @property
    def last_number(self) -> int:
        """The highest number of a row in the database that it knows."""
        return int(self.blocks[-1].numbers[-1]) if self.blocks else 0

    def extended(self, more: Block) -> "Matrix":
        """Return the matrix with a block of rows whose numbers are higher than all of its own.

        Blocks that are not twice as large as the next are joined with it: so there are few, and
        a row is copied seldom.
        """
        blocks = [*self.blocks, more]
        while len(blocks) > 1 and len(blocks[-2]) < 2 * len(blocks[-1]):
            blocks[-2:] = [compact(*blocks[-2:])]
        return replace(self, blocks=tuple(_not_empty(blocks)))

    def keeping(self, numbers: Numbers) -> "Matrix":
        """Return the matrix in which only the rows with these numbers are left."""
        return replace(self, blocks=tuple(_not_empty(one.keeping(numbers) for one in self.blocks)))


def _not_empty(blocks: "Iterator[Block] | Sequence[Block]") -> Iterator[Block]:
    return (one for one in blocks if one.count)
