"""NumPy: a product with the whole matrix, and the best of it."""

import contextlib
from collections.abc import Iterator

import numpy as np
from benchmarks.contenders.vector_data import LIMIT, OWNERS, QUERIES, Floats, data_of, trial
from benchmarks.harness.stage import Stage, Trial
from numpy.typing import NDArray

_FEWER = 40


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search all vectors."""
    data = data_of(stage)

    def ask(place: int) -> list[int]:
        return list(map(int, _best(data.vectors @ data.queries[place]) + 1))

    yield trial(ask, data.truth, queries=_FEWER)


@contextlib.contextmanager
def search_owner(stage: Stage) -> Iterator[Trial]:
    """Search those of one owner, which lie side by side; the same each time."""
    data = data_of(stage)
    part = data.vectors[::OWNERS].copy()

    def ask(place: int) -> list[int]:
        return list(map(int, _best(part @ data.queries[place]) * OWNERS + 1))

    yield trial(ask, data.truth_of_one, queries=QUERIES)


@contextlib.contextmanager
def search_owners(stage: Stage) -> Iterator[Trial]:
    """Search those of one owner, another each time."""
    data = data_of(stage)
    parts = [data.vectors[owner::OWNERS].copy() for owner in range(OWNERS)]

    def ask(place: int) -> list[int]:
        owner = place % OWNERS
        best = _best(parts[owner] @ data.queries[place])
        return list(map(int, best * OWNERS + owner + 1))

    yield trial(ask, data.truth_of_owner, queries=QUERIES)


@contextlib.contextmanager
def read(stage: Stage) -> Iterator[Trial]:
    """Read every number once, for their sum: as fast as memory goes."""
    data = data_of(stage)
    numbers = data.vectors.reshape(-1)
    numbers.sum()

    def work() -> None:
        for _ in range(QUERIES):
            numbers.sum()

    yield Trial(work=work, check=lambda: {"queries": QUERIES, "recall": 1.0})


def _best(scores: Floats) -> NDArray[np.int64]:
    best = np.argpartition(-scores, LIMIT - 1)[:LIMIT]
    return best[np.argsort(-scores[best])]
