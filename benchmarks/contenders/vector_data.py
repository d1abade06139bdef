"""The vectors that are searched: points around a thousand centres, as texts lie around topics.

One in a hundred belongs to each owner, and has each topic.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from benchmarks.harness.stage import Facts, Stage, Trial
from numpy.typing import NDArray
from sqlalchemy import make_url

DIMENSION: Final = 384
LIMIT: Final = 10
QUERIES: Final = 200
OWNERS: Final = 100

_CENTRES: Final = 1000
_SPREAD: Final = 0.8
_DIGITS: Final = 3

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Data:
    """What lies in the folder of a size."""

    folder: Path
    vectors: Floats
    """Shape (size, dimension); row n is vector n + 1, and belongs to owner n % OWNERS."""
    queries: Floats
    truth: NDArray[np.int64]
    """Shape (queries, LIMIT): the numbers of the nearest."""
    truth_of_owner: NDArray[np.int64]
    """The same among those of owner `query % OWNERS`."""
    truth_of_one: NDArray[np.int64]
    """The same among those of owner 0."""


@contextlib.contextmanager
def fill(stage: Stage) -> Iterator[Trial]:
    """Write the vectors of a size, and what is nearest, for all runs."""
    folder = folder_of(stage)

    def work() -> None:
        chance = np.random.default_rng(7)
        vectors, queries = clustered(chance, stage.size), clustered(chance, QUERIES)
        np.save(folder / "vectors.npy", vectors)
        np.save(folder / "queries.npy", queries)
        products = vectors @ queries.T
        np.save(folder / "truth.npy", _best(products))
        of_owner = [
            _best(products[number % OWNERS :: OWNERS, [number]])[0] for number in range(QUERIES)
        ]
        numbers = [
            (place - 1) * OWNERS + number % OWNERS + 1 for number, place in enumerate(of_owner)
        ]
        np.save(folder / "truth_of_owner.npy", np.array(numbers))
        np.save(folder / "truth_of_one.npy", (_best(products[::OWNERS]) - 1) * OWNERS + 1)

    yield Trial(work=work, check=lambda: {"vectors": stage.size})


def folder_of(stage: Stage) -> Path:
    """Return the folder that all runs of a size share."""
    return Path(str(make_url(stage.database_url).database)).parent


def data_of(stage: Stage) -> Data:
    """Return what `fill` wrote."""
    folder = folder_of(stage)
    names = ("vectors", "queries", "truth", "truth_of_owner", "truth_of_one")
    return Data(folder, *(np.load(folder / f"{name}.npy") for name in names))


def trial(
    search: Callable[[int], Sequence[int]], truth: NDArray[np.int64], *, queries: int, **more: Any
) -> Trial:
    """Return the trial of a search that takes a query's place and returns numbers.

    It is warm: the first query was asked before.
    """
    found: list[Sequence[int]] = []
    search(0)

    def work() -> None:
        found.extend([search(place) for place in range(queries)])

    def check() -> Facts:
        right = sum(
            len(set(map(int, some)) & set(truth[place].tolist()))
            for place, some in enumerate(found)
        )
        recall = round(right / (queries * LIMIT), _DIGITS)
        return {"queries": queries, "recall": recall, **{n: f() for n, f in more.items()}}

    return Trial(work=work, check=check)


def clustered(chance: np.random.Generator, count: int) -> Floats:
    """Return points around the centres."""
    centres = _normed(
        np.random.default_rng(1).standard_normal((_CENTRES, DIMENSION), dtype=np.float32)
    )
    vectors = chance.standard_normal((count, DIMENSION), dtype=np.float32)
    vectors *= np.float32(_SPREAD / np.sqrt(DIMENSION))
    vectors += centres[chance.integers(0, _CENTRES, count)]
    return _normed(vectors)


def _normed(vectors: Floats) -> Floats:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _best(products: Floats) -> NDArray[np.int64]:
    """Return the numbers of the nearest to each query, by its column; equal ones in order."""
    return np.array([_best_of(column) for column in np.ascontiguousarray(products.T)]) + 1


def _best_of(products: Floats) -> NDArray[np.int64]:
    place = len(products) - LIMIT
    enough = np.flatnonzero(products >= np.partition(products, place)[place])
    return enough[np.argsort(-products[enough], kind="stable")[:LIMIT]]
