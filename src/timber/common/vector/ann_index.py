"""Finds some of the nearest vectors among very many, by way of a graph (HNSW, from usearch).

A graph is made in the background, of the vectors that are in memory; until it is there, and for
whatever it cannot answer, all vectors are compared. A graph never changes: what has come since is
compared with, what has gone is left out, and when that is much, another graph is made.
What the graph proposes is compared in float32, so the scores are those of the exact index, and
the only difference is that one of the nearest may be missing.
"""

import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import Future
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection
from typing_extensions import override

from timber.common.vector.ahead import ComparingBeside, screened_by
from timber.common.vector.base import (
    NOT_AHEAD,
    Ahead,
    Hit,
    PlainSearch,
    PreparedSearch,
    Scope,
    VectorIndex,
)
from timber.common.vector.beside import Beside
from timber.common.vector.exact_index import ExactIndex, fitting
from timber.common.vector.exact_search import Best, as_query, nearest, scores_of
from timber.common.vector.matrix import Block, Matrix, Origin
from timber.common.vector.numerics import needed
from timber.common.vector.onnx_runtime import onnx_runtime
from timber.common.vector.partitions import Partitions, Span
from timber.common.vector.quantisation import Floats
from timber.common.vector.sqlite_driver import driver_of
from timber.common.vector.steps import Steps

_PROPOSED: Final = 8
"""How many times more are proposed than asked for, to be compared exactly."""
_WIDTH: Final = 256
"""How many candidates the way through the graph keeps: more find more, and take longer."""
_AT_ONCE: Final = 1_000
"""So many vectors are added before it is asked whether to stop: a fifth of a second."""
_OUTDATED: Final = 5
"""Another graph is made when one row in so many came or went since."""


class AnnIndex(VectorIndex):
    """Searches by a graph where nothing is filtered and very many vectors lie; else exactly."""

    def __init__(self, *, exact: ExactIndex, partitions: Partitions, at_least: int) -> None:
        self._exact = exact
        self._partitions = partitions
        self._at_least = at_least
        self._beside = Beside()
        self._graphs: weakref.WeakKeyDictionary[Origin, _Graph] = weakref.WeakKeyDictionary()
        self._under_way: dict[Origin, Future[None]] = {}
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        # One at a time: each keeps a core busy for minutes.
        self._turn = threading.Lock()

    @override
    def close(self) -> None:
        """Stop making graphs, and forget them."""
        self._stopping.set()
        self.wait()
        self._beside.close()
        self._graphs.clear()
        self._partitions.clear()

    def wait(self) -> None:
        """Wait until no graph is under way.

        Raises whatever went wrong meanwhile.
        """
        with self._guard:
            under_way = list(self._under_way.values())
        for one in under_way:
            one.result()

    @override
    def nearest(
        self, connection: Connection, vector: Floats, *, scope: Scope, limit: int
    ) -> list[Hit]:
        """Return most of the nearest by cosine, or all of them, as the port says otherwise.

        Raises what the exact index raises.
        """
        return self._nearest(connection, vector, scope, limit, NOT_AHEAD)

    @override
    def ahead(self, vector: Floats, *, scope: Scope, limit: int) -> Ahead:
        if scope.filters or not 1 <= limit <= _WIDTH:
            return NOT_AHEAD
        matrix = self._partitions.known(Span(scope.source_type, scope.owner))
        if matrix is None or matrix.count >= self._at_least:
            return NOT_AHEAD
        return ComparingBeside(matrix, vector, limit=limit, beside=self._beside)

    @override
    def prepared(
        self,
        connection: Connection,
        vector: Floats,
        *,
        scope: Scope,
        limit: int,
        ahead: Ahead = NOT_AHEAD,
    ) -> Steps[PreparedSearch]:
        return PlainSearch(lambda: self._nearest(connection, vector, scope, limit, ahead))
        yield  # nothing is asked: a generator all the same

    def _nearest(
        self, connection: Connection, vector: Floats, scope: Scope, limit: int, ahead: Ahead
    ) -> list[Hit]:
        if not scope.filters and 1 <= limit <= _WIDTH:
            span = Span(scope.source_type, scope.owner)
            matrix = self._partitions.matrix(driver_of(connection), span)
            if matrix is not None:
                blocks = fitting(matrix, vector, span)
                graph = self._graph(matrix) if matrix.count >= self._at_least else None
                if graph is not None:
                    found = graph.nearest(blocks, vector, limit=limit)
                    if len(found) == limit:
                        return found
                return nearest(blocks, vector, limit=limit, screened=screened_by(ahead))
        return self._exact.nearest(connection, vector, scope=scope, limit=limit)

    def _graph(self, matrix: Matrix) -> "_Graph | None":
        """Return the graph of a matrix if there is one; let one be made if it is time."""
        with self._guard:
            graph = self._graphs.get(matrix.origin)
            under_way = self._under_way.get(matrix.origin)
            if under_way is not None and under_way.done():
                del self._under_way[matrix.origin]
                under_way.result()
                under_way = None
            is_wanted = graph is None or graph.is_outdated(matrix)
            if is_wanted and under_way is None and not self._stopping.is_set():
                self._under_way[matrix.origin] = self._begun(matrix)
            return graph

    def _begun(self, matrix: Matrix) -> Future[None]:
        task: Future[None] = Future()

        def work() -> None:
            try:
                with self._turn:
                    self._make(matrix)
            except BaseException as error:  # noqa: BLE001 - handed on to whoever searches next
                task.set_exception(error)
            else:
                task.set_result(None)

        # A process that ends does not wait for it.
        threading.Thread(target=work, name="timber-graph", daemon=True).start()
        return task

    def _make(self, matrix: Matrix) -> None:
        if self._stopping.is_set():
            return
        graph = _Graph(matrix)
        for _ in graph.built(matrix):
            if self._stopping.is_set():
                return
        with self._guard:
            self._graphs[matrix.origin] = graph


def _usearch() -> Any:
    """Return the module, which who has fewer vectors need not load.

    It loads libraries for the whole process, and one of their symbols ends the process when
    onnxruntime is loaded afterwards: so that goes first.
    """
    if find_spec("onnxruntime") is not None:
        onnx_runtime(feature="a graph of vectors")
    return needed("usearch.index", feature="a graph of vectors", extra="vectors")


class _Graph:
    """The vectors of a matrix as it was, by the numbers of their rows."""

    def __init__(self, matrix: Matrix) -> None:
        self._index = _usearch().Index(
            ndim=matrix.dimension or 1,
            metric="ip",
            dtype="bf16",
            expansion_search=_WIDTH,
            enable_key_lookups=False,
        )
        self._last_number = matrix.last_number
        self._count = matrix.count

    def built(self, matrix: Matrix) -> Iterator[None]:
        """Add all vectors, and yield now and then."""
        for one in matrix.blocks:
            for start in range(0, len(one), _AT_ONCE):
                part = slice(start, start + _AT_ONCE)
                numbers, vectors = one.numbers[part], one.vectors[part]
                if one.alive is not None:
                    numbers, vectors = numbers[one.alive[part]], vectors[one.alive[part]]
                self._index.add(numbers.astype(np.uint64), vectors, threads=1)
                yield

    def is_outdated(self, matrix: Matrix) -> bool:
        """Tell whether much came or went since."""
        came = sum(one.after(self._last_number).count for one in matrix.blocks)
        gone = self._count - (matrix.count - came)
        return (came + gone) * _OUTDATED > self._count

    def nearest(self, blocks: tuple[Block, ...], vector: Floats, *, limit: int) -> list[Hit]:
        """Return most of the nearest in the blocks; fewer than `limit` if many have gone."""
        query, best = as_query(vector), Best(limit)
        proposed = self._index.search(query[0], max(_WIDTH, limit * _PROPOSED), threads=1)
        numbers = np.sort(proposed.keys.astype(np.int64))
        for one in blocks:
            places = one.numbered(numbers)
            best.offer(one.chunk_ids[places], scores_of(query, one.vectors[places]))
        came = [one.after(self._last_number) for one in blocks]
        best.join(nearest(came, vector, limit=limit))
        return best.hits()
