"""Words on PostgreSQL."""

import pytest
from tests.contracts.full_text_index import FullTextIndexContract
from tests.contracts.vector_shelf import Shelf
from typing_extensions import override

from timber.common.vector.base import FullTextIndex
from timber.common.vector.fulltext_postgresql import PostgresqlFullText
from timber.common.vector.postgresql_tables import PostgresqlTables


class TestPostgresqlFullText(FullTextIndexContract):
    @pytest.fixture
    @override
    def shelf(self, postgresql_shelf: Shelf) -> Shelf:
        return postgresql_shelf

    @pytest.fixture
    @override
    def index(self, shelf: Shelf) -> FullTextIndex:
        return PostgresqlFullText(tables=PostgresqlTables())
