"""Words on PostgreSQL."""

import pytest
from tests.contracts.full_text_index import FullTextIndexContract, found, ids, put
from tests.contracts.vector_shelf import Shelf
from typing_extensions import override

from timber.common.errors import InvalidRequestError
from timber.common.vector.base import FullTextIndex
from timber.common.vector.fulltext_postgresql import PostgresqlFullText, set_language


class TestPostgresqlFullText(FullTextIndexContract):
    @pytest.fixture
    @override
    def shelf(self, postgresql_shelf: Shelf) -> Shelf:
        return postgresql_shelf

    @pytest.fixture(params=[50_000, 0], ids=["few texts", "very many texts"])
    @override
    def index(self, request: pytest.FixtureRequest, shelf: Shelf) -> FullTextIndex:
        return PostgresqlFullText(many_from=request.param)

    def test_another_language_has_other_endings(self, shelf: Shelf, index: FullTextIndex) -> None:
        (houses,) = put(shelf, "Viele Häuser")
        assert not found(shelf, index, "Haus")

        with shelf.writing() as connection:
            set_language(connection, "german")
        german = ids(found(shelf, index, "Haus"))
        (gardens,) = put(shelf, "Große Gärten")
        later = ids(found(shelf, index, "Garten"))
        with shelf.writing() as connection:
            set_language(connection, "english")

        assert german == [houses]
        assert later == [gardens]

    def test_a_language_that_is_unknown_is_refused(self, shelf: Shelf) -> None:
        with (
            shelf.writing() as connection,
            pytest.raises(InvalidRequestError, match="did you mean 'german'"),
        ):
            set_language(connection, "germam")
