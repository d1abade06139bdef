"""A graph finds nearly all of the nearest, and never what is not there."""

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import Connection
from tests.contracts.vector_index import VectorIndexContract, ask, found, ids, piece
from tests.contracts.vector_shelf import NEWS, Floats, Shelf, unit
from typing_extensions import override

from timber.common.vector.ann_index import AnnIndex
from timber.common.vector.base import Hit, Scope, VectorIndex
from timber.common.vector.exact_index import ExactIndex
from timber.common.vector.partitions import Partitions

ROOM = 100_000_000
MANY = 600


@pytest.fixture
def partitions() -> Partitions:
    return Partitions(limit_bytes=ROOM)


@pytest.fixture
def exact(partitions: Partitions) -> ExactIndex:
    return ExactIndex(partitions=partitions)


@pytest.fixture
def graphs(exact: ExactIndex, partitions: Partitions) -> Iterator[AnnIndex]:
    index = AnnIndex(exact=exact, partitions=partitions, at_least=MANY)
    yield index
    index.close()


class TestAnnIndexOfFew(VectorIndexContract):
    """Where few lie it is exact; here a graph is made of however few there are."""

    @pytest.fixture
    @override
    def shelf(self, lent_shelf: Shelf) -> Shelf:
        return lent_shelf

    @pytest.fixture
    @override
    def index(self, partitions: Partitions, exact: ExactIndex) -> Iterator[VectorIndex]:
        index = _Patient(exact=exact, partitions=partitions, at_least=1)
        yield index
        index.close()


class _Patient(AnnIndex):
    """Waits for its graphs, so that as much as can be is found by one."""

    @override
    def nearest(
        self, connection: Connection, vector: Floats, *, scope: Scope, limit: int
    ) -> list[Hit]:
        super().nearest(connection, vector, scope=scope, limit=limit)
        self.wait()
        return super().nearest(connection, vector, scope=scope, limit=limit)


def some(count: int, seed: int) -> list[Floats]:
    numbers = np.random.default_rng(seed).standard_normal((count, 24)).tolist()
    return [unit(*one) for one in numbers]


def test_nearly_all_of_the_nearest_are_found(
    sqlite_shelf: Shelf, graphs: AnnIndex, exact: ExactIndex
) -> None:
    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(
            connection, *(piece(str(at), one) for at, one in enumerate(some(2 * MANY, 1)))
        )
    found(sqlite_shelf, graphs, some(1, 2)[0])
    graphs.wait()

    right = sum(
        len(set(found(sqlite_shelf, graphs, query)) & set(found(sqlite_shelf, exact, query)))
        for query in some(50, 3)
    )

    assert right >= 0.95 * 50 * 10


def test_what_came_and_went_since_is_found_and_left_out(
    sqlite_shelf: Shelf, graphs: AnnIndex, exact: ExactIndex
) -> None:
    with sqlite_shelf.writing() as connection:
        keys = sqlite_shelf.put(
            connection, *(piece(str(at), one) for at, one in enumerate(some(2 * MANY, 1)))
        )
    query = some(1, 2)[0]
    found(sqlite_shelf, graphs, query)
    graphs.wait()
    best, second, *_ = ids(found(sqlite_shelf, exact, query))

    with sqlite_shelf.writing() as connection:
        sqlite_shelf.take(connection, best)
        sqlite_shelf.change(connection, second, -query)
        (new,) = sqlite_shelf.put(connection, piece("new", query))
    hits = ids(found(sqlite_shelf, graphs, query))

    assert hits[0] == new
    assert not {best, second} & set(hits)
    assert len(hits) == 10
    assert set(hits) <= {*keys, new}


def test_a_graph_that_is_closed_over_its_making_leaves_exact_answers(
    sqlite_shelf: Shelf, graphs: AnnIndex, exact: ExactIndex
) -> None:
    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(
            connection, *(piece(str(at), one) for at, one in enumerate(some(2 * MANY, 1)))
        )
    query = some(1, 2)[0]
    with sqlite_shelf.reading() as connection:
        ask(graphs, connection, query)
        graphs.close()

        assert ask(graphs, connection, query) == ask(exact, connection, query)


def test_filters_are_answered_exactly(
    sqlite_shelf: Shelf, graphs: AnnIndex, exact: ExactIndex
) -> None:
    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(
            connection,
            *(
                piece(str(at), one, metadata={"third": at % 3})
                for at, one in enumerate(some(2 * MANY, 1))
            ),
        )
    query, scope = some(1, 2)[0], Scope(NEWS, filters={"third": 1})
    found(sqlite_shelf, graphs, query)
    graphs.wait()

    assert found(sqlite_shelf, graphs, query, scope) == found(sqlite_shelf, exact, query, scope)


def test_a_graph_that_was_made_first_does_not_keep_texts_from_being_embedded() -> None:
    program = (
        "from timber.common.vector.ann_index import _usearch; _usearch();"
        " import onnxruntime; print('alive')"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr
