"""usearch: HNSW in bf16, made once for all runs of a size."""

import contextlib
from collections.abc import Iterator

import numpy as np
from benchmarks.contenders.vector_data import DIMENSION, LIMIT, QUERIES, data_of, trial
from benchmarks.harness.stage import Stage, Trial
from usearch.index import Index


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search all vectors, some of which it does not see."""
    data = data_of(stage)
    path = data.folder / "index.usearch"
    index = Index(ndim=DIMENSION, metric="ip", dtype="bf16", expansion_search=64)
    if path.exists():
        index.load(path)
    else:
        index.add(np.arange(1, len(data.vectors) + 1), data.vectors)
        index.save(path)

    def ask(place: int) -> list[int]:
        return list(map(int, index.search(data.queries[place], LIMIT, threads=1).keys))

    yield trial(ask, data.truth, queries=QUERIES)
