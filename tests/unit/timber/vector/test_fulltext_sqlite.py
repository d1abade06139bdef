"""The full text of SQLite keeps the contract."""

import pytest
from tests.contracts.full_text_index import FullTextIndexContract
from tests.contracts.vector_shelf import Shelf
from typing_extensions import override

from timber.common.vector.base import FullTextIndex
from timber.common.vector.fulltext_sqlite import SqliteFullText


class TestSqliteFullText(FullTextIndexContract):
    @pytest.fixture
    @override
    def shelf(self, lent_shelf: Shelf) -> Shelf:
        return lent_shelf

    @pytest.fixture
    @override
    def index(self, shelf: Shelf) -> FullTextIndex:
        return SqliteFullText()
