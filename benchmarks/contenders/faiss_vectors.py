"""faiss: IndexFlatIP, on one thread."""

import contextlib
from collections.abc import Iterator

import faiss
from benchmarks.contenders.vector_data import DIMENSION, LIMIT, data_of, trial
from benchmarks.harness.stage import Stage, Trial

_FEWER = 60


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search all vectors."""
    faiss.omp_set_num_threads(1)
    data = data_of(stage)
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(data.vectors)

    def ask(place: int) -> list[int]:
        _, found = index.search(data.queries[place : place + 1], LIMIT)
        return [int(at) + 1 for at in found[0]]

    yield trial(ask, data.truth, queries=_FEWER)
