"""The exact index keeps the contract, with and without room for the vectors in memory."""

import pytest
from tests.contracts.vector_index import VectorIndexContract
from tests.contracts.vector_shelf import Shelf
from typing_extensions import override

from timber.common.vector.base import VectorIndex
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
