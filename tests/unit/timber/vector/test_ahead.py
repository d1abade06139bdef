"""What is looked through before the database is asked spares work, and changes nothing."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from timber.common.vector.ahead import AskingBeside, ComparingBeside, LookedThrough, screened_by
from timber.common.vector.base import NOT_AHEAD
from timber.common.vector.beside import Beside
from timber.common.vector.exact_search import WORTH_A_THREAD, nearest
from timber.common.vector.matrix import Block, Matrix, block
from timber.common.vector.quantisation import SLICE, Floats

DIMENSION = 16
LIMIT = 20
KINDS = pytest.mark.parametrize("kind", [ComparingBeside, AskingBeside])


def normed(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def drawn(count: int, *, seed: int) -> Floats:
    chance = np.random.default_rng(seed)
    return normed(chance.standard_normal((count, DIMENSION), dtype=np.float32))


def stored(vectors: Floats, *, after: int = 0) -> Block:
    numbers = np.arange(after + 1, after + 1 + len(vectors))
    return block(numbers=numbers, chunk_ids=numbers, vectors=vectors)


QUERIES = drawn(12, seed=3)


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    return Matrix().extended(stored(drawn(WORTH_A_THREAD + SLICE, seed=1)))


@pytest.fixture
def beside() -> Iterator[Beside]:
    beside = Beside()
    yield beside
    beside.close()


@KINDS
def test_who_looked_ahead_finds_what_who_did_not_finds(
    kind: type[LookedThrough], matrix: Matrix, beside: Beside
) -> None:
    gone = matrix.keeping(np.arange(1, matrix.count, 3))
    for now in (
        matrix,
        matrix.extended(stored(drawn(50, seed=2), after=matrix.count)),
        gone,
        Matrix(),
    ):
        for query in QUERIES:
            ahead = kind(matrix, query, limit=LIMIT, beside=beside)
            assert ahead.beside(lambda: "answer") == "answer"
            assert screened_by(ahead).keys() == {*matrix.blocks}

            found = nearest(now.blocks, query, limit=LIMIT, screened=screened_by(ahead))

            assert found == nearest(now.blocks, query, limit=LIMIT)


@KINDS
def test_it_is_asked_once_and_all_is_looked_through_even_where_the_thread_is_busy(
    kind: type[LookedThrough], matrix: Matrix, beside: Beside
) -> None:
    begun, may_go_on, times = threading.Event(), threading.Event(), list[int]()

    def busy() -> None:
        begun.set()
        may_go_on.wait(timeout=30)

    ended = beside.begin(busy)
    assert begun.wait(timeout=30)
    ahead = kind(matrix, QUERIES[0], limit=LIMIT, beside=beside)

    ahead.beside(lambda: times.append(1))

    may_go_on.set()
    ended()
    assert times == [1]
    found = nearest(matrix.blocks, QUERIES[0], limit=LIMIT, screened=screened_by(ahead))
    assert found == nearest(matrix.blocks, QUERIES[0], limit=LIMIT)


@KINDS
def test_what_goes_wrong_with_the_question_is_raised_when_nothing_is_under_way(
    kind: type[LookedThrough], matrix: Matrix, beside: Beside
) -> None:
    ahead = kind(matrix, QUERIES[0], limit=LIMIT, beside=beside)

    with pytest.raises(ZeroDivisionError):
        ahead.beside(lambda: 1 // 0)

    is_free = threading.Event()
    beside.begin(is_free.set)
    assert is_free.wait(timeout=30)


@KINDS
def test_what_cannot_be_looked_through_is_left_to_the_search(
    kind: type[LookedThrough], matrix: Matrix, beside: Beside
) -> None:
    few = Matrix().extended(stored(drawn(100, seed=4)))
    longer = np.ones(DIMENSION + 1, dtype=np.float32)
    for ahead in (
        kind(few, QUERIES[0], limit=LIMIT, beside=beside),
        kind(Matrix(), QUERIES[0], limit=LIMIT, beside=beside),
        kind(matrix, longer, limit=LIMIT, beside=beside),
        NOT_AHEAD,
    ):
        assert ahead.beside(threading.current_thread) is threading.current_thread()
        assert not screened_by(ahead)


@KINDS
def test_of_what_nobody_needs_no_more_is_looked_through(
    kind: type[LookedThrough], matrix: Matrix, beside: Beside
) -> None:
    ahead = kind(matrix, QUERIES[0], limit=LIMIT, beside=beside)
    ahead.stop()

    ahead.beside(lambda: None)

    [screening] = screened_by(ahead).values()
    positions, _ = screening.candidates()
    assert not len(positions)
