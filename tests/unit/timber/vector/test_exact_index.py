"""The exact index keeps the contract, with and without room for the vectors in memory."""

import math

import pytest
from tests.contracts.vector_index import EAST, VectorIndexContract, found, ids
from tests.contracts.vector_shelf import NEWS, Piece, Shelf, unit
from typing_extensions import override

from timber.common.vector.base import Scope, VectorIndex
from timber.common.vector.exact_index import ExactIndex
from timber.common.vector.partitions import Partitions

ROOM = 1_000_000


class TestExactIndex(VectorIndexContract):
    @pytest.fixture
    @override
    def shelf(self, lent_shelf: Shelf) -> Shelf:
        return lent_shelf

    @pytest.fixture
    @override
    def index(self, shelf: Shelf) -> VectorIndex:
        return ExactIndex(partitions=Partitions(limit_bytes=ROOM))


class TestExactIndexWithoutRoom(TestExactIndex):
    """Nothing fits into its memory, so every search reads the database."""

    @pytest.fixture
    @override
    def index(self, shelf: Shelf) -> VectorIndex:
        return ExactIndex(partitions=Partitions(limit_bytes=0))


def test_more_than_are_looked_up_at_once_are_found_by_a_filter(lent_shelf: Shelf) -> None:
    count, limit = 5000, 1100
    index = ExactIndex(partitions=Partitions(limit_bytes=ROOM))
    turns = [math.pi * number / count for number in range(count)]
    with lent_shelf.writing() as connection:
        keys = lent_shelf.put(
            connection,
            *(
                Piece(
                    source_id=str(number),
                    vector=unit(math.cos(turn), math.sin(turn)),
                    metadata={"is_wanted": number < limit or number % 2 == 0},
                )
                for number, turn in enumerate(turns)
            ),
        )

    wanted = Scope(NEWS, filters={"is_wanted": True})

    assert ids(found(lent_shelf, index, EAST, wanted, limit=limit)) == keys[:limit]
