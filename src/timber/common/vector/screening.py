"""Which rows of a block can be among the best, by the short form of all; pure."""

from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from timber.common.vector.matrix import Mask
from timber.common.vector.quantisation import SLICE, Codes, Floats, ShortQuery

_NOWHERE: Final = -np.inf


class Screening:
    """One pass over the short form of a block, slice by slice.

    Several threads may `work` at once: each takes the next slice, and what one has found spares
    the others much. All of them but the first may come and go as they like.
    """

    def __init__(
        self,
        codes: Codes,
        query: Floats,
        *,
        count: int,
        limit: int,
        allowed: Mask | None = None,
        floor: float = _NOWHERE,
    ) -> None:
        """Look through `count` rows for the best `limit`, which must reach the floor."""
        self._codes = codes
        self._allowed = allowed
        self._short = ShortQuery(query)
        self._lowest = _Floor(limit, floor)
        self._left = deque(range(0, count, SLICE))
        self._found: list[tuple[int, NDArray[np.int64], Floats]] = []

    def work(self, pause: Callable[[], None] | None = None) -> None:
        """Look at slices until none is left that nobody has begun; `pause` after each."""
        while True:
            try:
                start = self._left.popleft()
            except IndexError:
                return
            self._look(start)
            if pause is not None:
                pause()

    def stop(self) -> None:
        """Let nobody begin another slice."""
        self._left.clear()

    def candidates(self, floor: float = _NOWHERE) -> tuple[NDArray[np.int64], Floats]:
        """Return where the rows lie that may be among the best, and how near each can be at most.

        All of them, when nobody works any more. What does not reach the floor is left out.
        """
        if not self._found:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        self._found.sort(key=_start)
        positions = np.concatenate([some + start for start, some, _ in self._found])
        reach = np.concatenate([highest for _, _, highest in self._found])
        enough = reach >= max(floor, self._lowest.value)
        return positions[enough], reach[enough]

    def _look(self, start: int) -> None:
        scores = self._short.products(self._codes, start)
        scores *= self._short.step
        slack = self._short.slack(self._codes, start)
        allowed = None if self._allowed is None else self._allowed[start : start + SLICE]
        found = reaching(scores, self._lowest.value - slack, allowed)
        if len(found):
            good = scores[found]
            self._lowest.offer(good - slack)
            self._found.append((start, found, good + slack))


def _start(found: tuple[int, NDArray[np.int64], Floats]) -> int:
    return found[0]


class _Floor:
    """The lowest of the highest scores so far.

    Two threads that offer some at once may lose what one of them offers: then it is lower than it
    could be, which only spares less.
    """

    def __init__(self, limit: int, value: float) -> None:
        self._limit = limit
        self._scores: Floats = np.empty(0, dtype=np.float32)
        self.value = value

    def offer(self, scores: Floats) -> None:
        """Take those that are good enough."""
        kept = np.concatenate((self._scores, scores))
        if len(kept) >= self._limit:
            place = len(kept) - self._limit
            kept = np.partition(kept, place)[place:]
            self.value = max(self.value, float(kept[0]))
        self._scores = kept


def reaching(scores: Floats, floor: float, allowed: Mask | None) -> NDArray[np.int64]:
    """Return where the allowed scores lie that reach the floor."""
    reached = scores >= floor
    return np.flatnonzero(reached if allowed is None else reached & allowed)
