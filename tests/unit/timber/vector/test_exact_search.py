"""The search of a matrix finds what comparing with every vector finds, whatever it looks like."""

import sys
import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from timber.common.vector.exact_search import nearest
from timber.common.vector.matrix import Block, Matrix, compact
from timber.common.vector.quantisation import SLICE, Floats, ShortQuery, shortened
from timber.common.vector.screening import Screening
from timber.common.vector.simd import Packed

DIMENSION = 6
NUMBERS = st.floats(-1, 1, width=32).map(lambda number: round(number, 1))


def normed(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    return np.asarray(vectors / lengths, dtype=np.float32)


def vectors(least: int, most: int) -> st.SearchStrategy[Floats]:
    shapes = st.tuples(st.integers(least, most), st.just(DIMENSION))
    return arrays(np.float32, shapes, elements=NUMBERS).map(normed)


def block(stored: Floats, *, first: int = 1, short: bool = False) -> Block:
    numbers = np.arange(first, first + len(stored))
    # The pieces come in another order than the rows.
    return Block(
        numbers=numbers,
        chunk_ids=1000 - numbers,
        vectors=stored,
        codes=shortened(stored) if short else None,
    )


def compared(blocks: Sequence[Block], query: Floats, limit: int) -> list[tuple[float, int]]:
    """Compare with every row that is alive, one by one."""
    scored = [
        (float(vector @ query), int(chunk_id))
        for one in blocks
        for at, (vector, chunk_id) in enumerate(zip(one.vectors, one.chunk_ids, strict=True))
        if one.alive is None or one.alive[at]
    ]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:limit]


@settings(max_examples=80, deadline=None)
@given(
    stored=vectors(1, 60),
    query=vectors(1, 1),
    limit=st.integers(1, 70),
    short=st.booleans(),
    dead=st.sets(st.integers(1, 60)),
)
def test_it_finds_what_comparing_one_by_one_finds(
    stored: Floats, query: Floats, limit: int, *, short: bool, dead: set[int]
) -> None:
    whole = block(stored, short=short)
    alive = ~np.isin(whole.numbers, list(dead))
    blocks = [Block(**{**vars(whole), "alive": alive})]

    hits = nearest(blocks, query[0], limit=limit)

    expected = compared(blocks, query[0], limit)
    assert [hit.score for hit in hits] == pytest.approx([one for one, _ in expected], abs=1e-5)
    assert len({hit.chunk_id for hit in hits}) == len(hits)
    assert [*hits] == sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))


@settings(max_examples=40, deadline=None)
@given(stored=vectors(1, 40), query=vectors(1, 1))
def test_a_product_with_short_forms_lies_within_its_slack(stored: Floats, query: Floats) -> None:
    codes, short = shortened(stored), ShortQuery(query)

    products = short.products(codes, 0) * short.step

    assert np.abs(products - stored @ query[0]).max() <= short.slack(codes, 0)


@pytest.mark.parametrize("dimension", [1, 7, 64, 384, 1537])
@pytest.mark.parametrize("count", [1, 5, 333])
def test_products_of_whole_numbers_are_exact(count: int, dimension: int) -> None:
    chance = np.random.default_rng(dimension)
    rows = chance.choice(np.array([-127, 0, 127], dtype=np.int8), (count, dimension))

    found = Packed(rows).products(rows[:1])

    assert found.tolist() == (rows.astype(np.int64) @ rows[0].astype(np.int64)).tolist()


@pytest.mark.parametrize("count", [3 * SLICE + 11, 100])
@pytest.mark.parametrize("share", [1, 2, 50])
def test_slices_short_forms_and_subsets_change_nothing(count: int, share: int) -> None:
    chance = np.random.default_rng(count + share)
    stored = normed(chance.standard_normal((count, 32), dtype=np.float32))
    numbers = np.arange(1, count + 1)
    plain = Block(numbers=numbers, chunk_ids=numbers, vectors=stored)
    short = Block(numbers=numbers, chunk_ids=numbers, vectors=stored, codes=shortened(stored))
    among = None if share == 1 else numbers[chance.random(count) < 1 / share]

    for query in normed(chance.standard_normal((5, 32), dtype=np.float32)):
        found = nearest([short], query, limit=20, among=among)

        assert found == nearest([plain], query, limit=20, among=among)
        wanted = numbers if among is None else among
        scores = stored[wanted - 1] @ query
        best = wanted[np.argsort(-scores, kind="stable")[:20]]
        assert [hit.chunk_id for hit in found] == best.tolist()


@pytest.mark.parametrize("threads", [1, 4])
def test_of_what_is_screened_by_several_no_row_in_reach_is_lost(threads: int) -> None:
    chance = np.random.default_rng(6)
    stored = normed(chance.standard_normal((5 * SLICE + 7, 8), dtype=np.float32))
    query = stored[:1]
    screening = Screening(shortened(stored), query, count=len(stored), limit=30)

    workers = [threading.Thread(target=screening.work) for _ in range(threads)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()

    positions, highest = screening.candidates()
    scores = stored @ query[0]
    assert {*np.argsort(-scores)[:30].tolist()} <= {*positions.tolist()}
    assert positions.tolist() == sorted({*positions.tolist()})
    assert (scores[positions] <= highest).all()
    assert len(positions) < len(stored) / 10


@pytest.mark.parametrize("spread", [0.02, 1.0])
@pytest.mark.parametrize("dead", [0.0, 0.4, 0.995])
def test_a_block_of_one_slice_gives_what_comparing_all_of_it_gives(
    dead: float, spread: float
) -> None:
    chance = np.random.default_rng(3)
    centre = chance.standard_normal(32, dtype=np.float32)
    noise = chance.standard_normal((2_000, 32), dtype=np.float32)
    stored = np.repeat(normed(centre + np.float32(spread) * noise), 2, axis=0)
    numbers = np.arange(1, len(stored) + 1)
    alive = chance.random(len(stored)) >= dead
    plain = Block(numbers=numbers, chunk_ids=numbers, vectors=stored, alive=alive)
    short = replace(plain, codes=shortened(stored))

    for limit in (1, 10, 25):
        for query in normed(centre + chance.standard_normal((5, 32), dtype=np.float32)):
            expected = nearest([plain], query, limit=limit)

            assert nearest([short], query, limit=limit) == expected
            assert len(expected) == min(limit, np.count_nonzero(alive))


def test_ten_thousand_searches_leave_what_python_counts_as_it_was() -> None:
    numbers = np.arange(1, 4)
    one = Block(numbers=numbers, chunk_ids=numbers, vectors=np.eye(3, dtype=np.float32))
    before = sys.getrefcount(None)

    for _ in range(10_000):
        nearest([one], one.vectors[0], limit=2)

    assert abs(sys.getrefcount(None) - before) < 1000


def test_of_many_that_are_all_alike_the_first_keys_are_found() -> None:
    stored = np.tile(normed(np.ones((1, 8), dtype=np.float32)), (2 * SLICE, 1))
    numbers = np.arange(1, len(stored) + 1)
    blocks = [
        Block(numbers=numbers, chunk_ids=numbers[::-1].copy(), vectors=stored, codes=codes)
        for codes in (None, shortened(stored))
    ]

    for one in blocks:
        assert [hit.chunk_id for hit in nearest([one], stored[0], limit=5)] == [1, 2, 3, 4, 5]


def test_a_matrix_that_grows_row_by_row_has_few_blocks_and_all_rows() -> None:
    chance = np.random.default_rng(1)
    stored = normed(chance.standard_normal((300, 8), dtype=np.float32))

    matrix = Matrix()
    for at in range(300):
        matrix = matrix.extended(block(stored[at : at + 1], first=at + 1))

    assert len(matrix.blocks) <= 9
    assert matrix.count == 300
    assert matrix.last_number == 300
    assert np.array_equal(compact(*matrix.blocks).vectors, stored)


def test_what_is_left_of_a_matrix_is_found_and_the_memory_of_the_rest_given_back() -> None:
    chance = np.random.default_rng(2)
    stored = normed(chance.standard_normal((100, 8), dtype=np.float32))
    matrix = Matrix().extended(block(stored))

    few_gone = matrix.keeping(np.arange(11, 101))
    most_gone = matrix.keeping(np.arange(91, 101))

    assert few_gone.count == 90
    assert few_gone.nbytes == matrix.nbytes
    assert most_gone.nbytes == matrix.nbytes / 10
    hits = nearest(most_gone.blocks, stored[0], limit=100)
    assert {1000 - hit.chunk_id for hit in hits} == set(range(91, 101))


def test_nobody_begins_a_slice_of_what_is_stopped() -> None:
    stored = normed(np.random.default_rng(7).standard_normal((3 * SLICE, 8), dtype=np.float32))
    screening = Screening(shortened(stored), stored[:1], count=len(stored), limit=30)

    screening.work(pause=screening.stop)

    positions, _ = screening.candidates()
    assert len(positions)
    assert positions.max() < SLICE
