"""Vectors on PostgreSQL, compared one by one or found along an index."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import Connection, text
from tests.contracts.vector_index import VectorIndexContract
from tests.contracts.vector_shelf import NEWS, Piece, Shelf, unit
from tests.integration.timber.vector.stored import check_metadata
from typing_extensions import override

from timber.common.errors import DatabaseError
from timber.common.vector.base import Scope, VectorIndex
from timber.common.vector.memory_index import MemoryIndex
from timber.common.vector.partitions_postgresql import PostgresqlPartitions
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

    def test_it_finds_by_what_the_metadata_became(self, shelf: Shelf, index: VectorIndex) -> None:
        with shelf.writing() as connection:
            [key] = shelf.put(
                connection, Piece(source_id="1", vector=unit(1, 0), metadata={"year": 2020})
            )
        scopes = [Scope(NEWS, filters={"year": year}) for year in (2020, 2021)]

        with shelf.writing() as connection:
            connection.execute(text(_TO_2021))
            within = [found(index, connection, scope) for scope in scopes]

        assert within == [[], [key]]
        with shelf.reading() as connection:
            assert [found(index, connection, scope) for scope in scopes] == [[], [key]]

    def test_metadata_waits_for_the_vector_that_comes(self, shelf: Shelf) -> None:
        with shelf.writing() as connection:
            [key] = shelf.put(connection, Piece(source_id="1", metadata={"year": 2020}))

        with shelf.writing() as coming:
            shelf.embed(coming, {key: unit(1, 0)})
            with shelf.reading() as changing:
                changing.execute(text("SET LOCAL lock_timeout = '50ms'"))
                with pytest.raises(DatabaseError) as refused:
                    changing.execute(text(_TO_2021))
        assert refused.value.code == _LOCK_NOT_AVAILABLE
        with shelf.writing() as changing:
            changing.execute(text(_TO_2021))

        check_metadata(shelf.timber)


class TestPgvectorIndexInMemory(VectorIndexContract):
    @pytest.fixture
    @override
    def shelf(self, postgresql_shelf: Shelf) -> Shelf:
        return postgresql_shelf

    @pytest.fixture
    @override
    def index(self, shelf: Shelf) -> VectorIndex:
        memory = MemoryIndex(partitions=PostgresqlPartitions(limit_bytes=10**9))
        return PgvectorIndex(memory=memory, in_memory_from=0)


_LOCK_NOT_AVAILABLE = "55P03"
_TO_2021 = "UPDATE vector_chunks SET attributes = '{\"year\": 2021}'"

_CHANGES = (
    "UPDATE vector_chunks SET attributes = jsonb_build_object('n', :number)",
    "UPDATE vector_chunks SET attributes = NULL WHERE chunk_id % 2 = :number % 2",
    "UPDATE vector_chunks SET attributes = jsonb_set(attributes, '{a}', '1') WHERE owner = 'b'",
    "UPDATE vector_chunks SET source_type = 'others' WHERE chunk_id % 3 = :number",
    "UPDATE vector_chunks SET importance = :number",
    "DELETE FROM vector_embeddings WHERE chunk_id % 3 = :number % 3",
    (
        "INSERT INTO vector_embeddings (chunk_id, partition_id, embedding, attributes)"
        " SELECT chunk_id, partition_id, '[1, 0]', '{\"wrong\": true}' FROM vector_chunks"
        " ON CONFLICT DO NOTHING"
    ),
    "DELETE FROM vector_chunks WHERE chunk_id % 3 = :number",
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(_CHANGES), st.integers(0, 3), st.booleans()), max_size=8
    )
)
def test_what_lies_beside_a_vector_is_what_is_known_of_its_piece(
    postgresql_shelf: Shelf, changes: list[tuple[str, int, bool]]
) -> None:
    shelf = postgresql_shelf
    with shelf.writing() as connection:
        connection.execute(text("DELETE FROM vector_chunks"))
        shelf.put(
            connection,
            *(
                Piece(source_id=str(at), vector=unit(1, at), owner=owner, metadata={"a": at})
                for at, owner in enumerate("abab")
            ),
            Piece(source_id="waits", metadata={"a": 9}),
        )

    for change, number, is_kept in changes:
        with shelf.engine.connect() as connection:
            given_number = {"number": number} if ":number" in change else {}
            connection.execute(text(change), given_number)
            if is_kept:
                connection.commit()

        check_metadata(shelf.timber)


def found(index: VectorIndex, connection: Connection, scope: Scope) -> list[int]:
    hits = index.nearest(connection, unit(1, 0), scope=scope, limit=5)
    return [hit.chunk_id for hit in hits]
