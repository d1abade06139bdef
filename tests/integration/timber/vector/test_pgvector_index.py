"""Vectors on PostgreSQL, compared one by one or found along an index."""

import pytest
from tests.contracts.vector_index import VectorIndexContract
from tests.contracts.vector_shelf import Shelf
from typing_extensions import override

from timber.common.vector.base import VectorIndex
from timber.common.vector.pgvector_index import PgvectorIndex


class TestPgvectorIndex(VectorIndexContract):
    @pytest.fixture
    @override
    def shelf(self, postgresql_shelf: Shelf) -> Shelf:
        return postgresql_shelf

    @pytest.fixture
    @override
    def index(self, shelf: Shelf) -> VectorIndex:
        return PgvectorIndex()
