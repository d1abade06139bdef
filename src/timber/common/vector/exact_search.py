"""The vectors that are nearest to one, by comparing it with every one; pure.

One pass over memory, in slices: what a slice has is compared with the worst of the best so far,
so hardly any score is looked at twice. Blocks with a short form are first searched by that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from timber.common.vector.base import Hit
from timber.common.vector.matrix import Block, Mask, Numbers
from timber.common.vector.quantisation import SLICE, Codes, Floats, ShortQuery
from timber.common.vector.screening import Screening, reaching
from timber.common.vector.simd import products

_MANY: Final = 3
"""Of so many times more than are wanted it is worth it to sort out the worst first."""
_LIKELY: Final = 3
"""Among so many times more than are wanted, by the short form, the best are nearly always."""
_SPARE: Final = 512
"""Of more than so many beyond those that are wanted, a copy takes longer than it spares."""
_FEW: Final = 8
"""Of one row in so many, or fewer, a copy is faster than a pass over all rows."""
WORTH_A_THREAD: Final = 20_000
"""To look through fewer rows takes about as long as to have another thread do it."""
_NONE: Final[Mapping[Block, Screening]] = MappingProxyType({})
_AS_HIT: Final = cast("Callable[[tuple[int, float]], Hit]", partial(tuple.__new__, Hit))
"""Makes the tuple itself: its constructor is a function of Python, which takes longer."""


def nearest(
    blocks: Iterable[Block],
    vector: Floats,
    *,
    limit: int,
    among: Numbers | None = None,
    screened: Mapping[Block, Screening] = _NONE,
) -> list[Hit]:
    """Return the nearest `limit` by cosine, best first, equal ones by `chunk_id`.

    All vectors have length one. `among` are the pieces that count, each once; None: all.
    The blocks are looked at in the order in which they come, and let go of. Of those that are
    `screened` the short form was looked through for the same.
    """
    query, best = as_query(vector), Best(limit)
    for one in blocks:
        allowed = one.alive
        if among is not None:
            positions = one.positions(among)
            if len(positions) * _FEW <= len(one):
                best.offer(one.chunk_ids[positions], scores_of(query, one.vectors[positions]))
                continue
            allowed = np.zeros(len(one), dtype=np.bool_)
            allowed[positions] = True
        if one.codes is None:
            _compare(one, query, allowed, best)
        elif len(one) <= SLICE:
            _screen_at_once(one, one.codes, query, allowed, best)
        else:
            screening = screened.get(one)
            if screening is None:
                screening = _screening(one, one.codes, query, allowed, best)
                screening.work()
            _compare_screened(one, screening, query, allowed, best)
    return best.hits()


def screenings(
    blocks: Iterable[Block], vector: Floats, *, limit: int
) -> Mapping[Block, Screening]:
    """Return those of the blocks that are worth another thread, not yet looked through."""
    query = as_query(vector)
    return {
        one: _screening(one, one.codes, query, one.alive, Best(limit))
        for one in blocks
        if one.codes is not None and len(one) >= WORTH_A_THREAD
    }


def as_query(vector: Floats) -> Floats:
    """Return a vector as it is compared: shape (1, dimension), side by side in memory."""
    return np.ascontiguousarray(vector, dtype=np.float32).reshape(1, -1)


def scores_of(query: Floats, vectors: Floats) -> Floats:
    """Return the products of a vector, shape (1, dimension), with some, perhaps with none."""
    return products(query, vectors) if len(vectors) else np.empty(0, dtype=np.float32)


class Best:
    """The best so far, and what a score must reach to be among them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._chunk_ids: Numbers = np.empty(0, dtype=np.int64)
        self._scores: Floats = np.empty(0, dtype=np.float32)

    @property
    def floor(self) -> float:
        return float(self._scores[-1]) if len(self._scores) == self.limit else -np.inf

    def offer(self, chunk_ids: Numbers, scores: Floats) -> None:
        """Take those that are good enough."""
        if len(scores) > _MANY * self.limit:
            enough = np.flatnonzero(scores >= _highest(scores, self.limit))
            chunk_ids, scores = chunk_ids[enough], scores[enough]
        if len(self._scores):
            scores = np.concatenate((self._scores, scores))
            chunk_ids = np.concatenate((self._chunk_ids, chunk_ids))
        order = np.lexsort((chunk_ids, -scores))[: self.limit]
        self._scores, self._chunk_ids = scores[order], chunk_ids[order]

    def join(self, hits: Sequence[Hit]) -> None:
        """Take those that were found elsewhere."""
        if hits:
            chunk_ids, scores = zip(*hits, strict=True)
            self.offer(np.array(chunk_ids), np.array(scores, dtype=np.float32))

    def hits(self) -> list[Hit]:
        return list(
            map(_AS_HIT, zip(self._chunk_ids.tolist(), self._scores.tolist(), strict=True))
        )


def _highest(scores: Floats, count: int) -> float:
    """Return the lowest of the highest `count` scores."""
    place = len(scores) - count
    return float(np.partition(scores, place)[place])


def _compare(block: Block, query: Floats, allowed: Mask | None, best: Best) -> None:
    """Compare with every row."""
    for start in range(0, len(block), SLICE):
        part = slice(start, start + SLICE)
        scores = products(query, block.vectors[part])
        if start == 0 and allowed is None and best.floor == -np.inf:
            best.offer(block.chunk_ids[part], scores)
            continue
        found = reaching(scores, best.floor, None if allowed is None else allowed[part])
        if len(found):
            best.offer(block.chunk_ids[part][found], scores[found])


def _screen_at_once(
    block: Block, codes: Codes, query: Floats, allowed: Mask | None, best: Best
) -> None:
    """Screen a block of one slice, for which the steps of a `Screening` would take longest.

    What is best by the short form is compared first: what must be reached to be among the best of
    these is more than the short form alone can tell, so it leaves few others, and mostly none.
    """
    likely = _LIKELY * best.limit
    if likely * _FEW > len(block):
        _compare(block, query, allowed, best)
        return
    short = ShortQuery(query)
    scores = short.products(codes, 0)
    if allowed is not None:
        scores[~allowed] = -np.inf
    first = scores.argpartition(len(block) - likely)[-likely:]
    highest_left = scores[first[0]]  # at the most: what is left out is not above the first
    if allowed is not None:
        first = first[allowed[first]]
    best.offer(block.chunk_ids[first], scores_of(query, block.vectors.take(first, axis=0)))
    reach = (best.floor - short.slack(codes, 0)) / short.step
    if highest_left > reach:
        scores[first] = -np.inf
        rest = (scores > reach).nonzero()[0]
        if len(rest):
            best.offer(block.chunk_ids[rest], products(query, block.vectors.take(rest, axis=0)))


def _screening(
    block: Block, codes: Codes, query: Floats, allowed: Mask | None, best: Best
) -> Screening:
    return Screening(
        codes, query, count=len(block), limit=best.limit, allowed=allowed, floor=best.floor
    )


def _compare_screened(
    block: Block, screening: Screening, query: Floats, allowed: Mask | None, best: Best
) -> None:
    """Compare with the rows that are in reach of the best by their short form.

    First with the likely ones, as `_screen_at_once` does: then much less is in reach.
    """
    candidates, highest = screening.candidates(best.floor)
    likely = best.limit + min(best.limit * (_LIKELY - 1), _SPARE)
    if likely < len(candidates):
        first = highest.argpartition(len(candidates) - likely)[-likely:]
        _compare_with(candidates[first], block, query, allowed, best)
        highest[first] = -np.inf
        candidates = candidates[highest >= best.floor]
    _compare_with(candidates, block, query, allowed, best)


def _compare_with(
    candidates: NDArray[np.int64], block: Block, query: Floats, allowed: Mask | None, best: Best
) -> None:
    """Compare with these rows, all that can be among the best, or with every one if it is many."""
    if len(candidates) * _FEW > len(block):
        _compare(block, query, allowed, best)
    elif len(candidates):
        found = products(query, block.vectors.take(candidates, axis=0))
        best.offer(block.chunk_ids[candidates], found)
