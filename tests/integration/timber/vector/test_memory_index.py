"""The vectors of an owner on PostgreSQL, held in memory: always those that a transaction sees."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import Connection, text
from tests.contracts.vector_shelf import NEWS, Floats, Piece, Shelf, unit

from timber.common.vector.base import Hit, Scope
from timber.common.vector.matrix import Matrix
from timber.common.vector.memory_index import MemoryIndex
from timber.common.vector.partitions import Span
from timber.common.vector.partitions_postgresql import PostgresqlPartitions
from timber.common.vector.pgvector_index import PgvectorIndex

pytestmark = pytest.mark.integration

ANN = Span(NEWS, "ann")
SCOPE = Scope(NEWS, "ann")
ASKED = unit(1, 0.2)


@pytest.fixture
def partitions() -> PostgresqlPartitions:
    return PostgresqlPartitions(limit_bytes=1_000_000)


@pytest.fixture
def memory(partitions: PostgresqlPartitions) -> MemoryIndex:
    return MemoryIndex(partitions=partitions)


def piece(source_id: str, vector: Floats | None = None, owner: str = "ann") -> Piece:
    return Piece(source_id=source_id, vector=unit(1, 0) if vector is None else vector, owner=owner)


def held(memory: MemoryIndex, connection: Connection, limit: int = 5) -> list[Hit] | None:
    return memory.nearest(connection, ASKED, scope=SCOPE, limit=limit, nbytes=100)


def keys_held(memory: MemoryIndex, shelf: Shelf) -> set[int]:
    with shelf.reading() as connection:
        found = held(memory, connection, limit=100)
    assert found is not None
    return {hit.chunk_id for hit in found}


def matrix(partitions: PostgresqlPartitions, connection: Connection) -> Matrix:
    found = partitions.held(connection, ANN, nbytes=100)
    assert found is not None
    return found.matrix


def test_what_is_committed_late_is_found_by_who_looked_before(
    postgresql_shelf: Shelf, memory: MemoryIndex
) -> None:
    shelf = postgresql_shelf
    with shelf.writing() as connection:
        first = shelf.put(connection, piece("1"))
    with shelf.writing() as slow:
        late = shelf.put(slow, piece("late"))
        with shelf.writing() as connection:
            second = shelf.put(connection, piece("2"))
        before = keys_held(memory, shelf)

    after = keys_held(memory, shelf)

    assert before == {*first, *second}
    assert after == {*first, *second, *late}


def test_what_is_known_is_not_read_again(
    postgresql_shelf: Shelf, memory: MemoryIndex, partitions: PostgresqlPartitions
) -> None:
    shelf = postgresql_shelf
    with shelf.writing() as connection:
        shelf.put(connection, *(piece(str(number)) for number in range(20)))
    keys_held(memory, shelf)
    with shelf.writing() as connection:
        shelf.put(connection, piece("of another", owner="bob"))
    with shelf.reading() as connection:
        known = matrix(partitions, connection)

    keys_held(memory, shelf)

    with shelf.reading() as connection:
        assert matrix(partitions, connection) is known


def test_numbers_of_another_server_keep_nothing_from_being_found(
    postgresql_shelf: Shelf, memory: MemoryIndex, partitions: PostgresqlPartitions
) -> None:
    shelf = postgresql_shelf
    with shelf.writing() as connection:
        keys = shelf.put(connection, piece("1"), piece("2"))
        connection.execute(text("UPDATE vector_embeddings SET written_by = '9000000000'"))
    assert keys_held(memory, shelf) == {*keys}
    with shelf.reading() as connection:
        known = matrix(partitions, connection)
        assert matrix(partitions, connection) is known

    with shelf.writing() as connection:
        keys += shelf.put(connection, piece("3"))

    assert keys_held(memory, shelf) == {*keys}


def test_who_has_written_and_who_reads_an_older_moment_search_the_database(
    postgresql_shelf: Shelf, memory: MemoryIndex
) -> None:
    shelf = postgresql_shelf
    with shelf.writing() as connection:
        shelf.put(connection, piece("1"))
    keys_held(memory, shelf)

    with shelf.writing() as connection:
        shelf.put(connection, piece("2"))
        assert held(memory, connection) is None
    with shelf.reading() as connection:
        older = connection.execution_options(isolation_level="REPEATABLE READ")
        assert held(memory, older) is None


def test_what_was_used_lately_makes_no_room(postgresql_shelf: Shelf) -> None:
    shelf = postgresql_shelf
    with shelf.writing() as connection:
        shelf.put(connection, piece("1"), piece("2", owner="bob"))
    partitions = PostgresqlPartitions(limit_bytes=300)
    with shelf.reading() as connection:
        known = matrix(partitions, connection)

        refused = partitions.held(connection, Span(NEWS, "bob"), nbytes=290)

        assert refused is None
        assert matrix(partitions, connection) is known
        assert partitions.nbytes <= 300


def test_vectors_of_different_lengths_are_left_to_the_database(
    postgresql_shelf: Shelf, memory: MemoryIndex
) -> None:
    shelf = postgresql_shelf
    with shelf.writing() as connection:
        shelf.put(connection, piece("1"))
    keys_held(memory, shelf)
    with shelf.writing() as connection:
        shelf.put(connection, piece("2", unit(1, 0, 0)))

    with shelf.reading() as connection:
        assert held(memory, connection) is None


def test_of_very_many_that_have_gone_none_is_found(
    postgresql_shelf: Shelf, memory: MemoryIndex
) -> None:
    shelf = postgresql_shelf
    with shelf.writing() as connection:
        keys = shelf.put(connection, *(piece(str(number)) for number in range(60)))
    keys_held(memory, shelf)
    with shelf.writing() as connection:
        shelf.take(connection, *keys[:55])

    with shelf.reading() as connection:
        first, second = held(memory, connection), held(memory, connection)

    assert first is None
    assert second is not None
    assert {hit.chunk_id for hit in second} == {*keys[55:]}


CHANGES = ("comes", "goes", "changes", "loses its vector", "is given to another", "comes to bob")


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(CHANGES), st.integers(0, 9), st.booleans()), max_size=10
    )
)
def test_whatever_is_written_memory_holds_what_the_database_does(
    postgresql_shelf: Shelf, changes: list[tuple[str, int, bool]]
) -> None:
    shelf = postgresql_shelf
    with shelf.writing() as connection:
        connection.execute(text("DELETE FROM vector_chunks"))
        shelf.put(connection, *(piece(str(number), unit(1, number)) for number in range(8)))
        shelf.put(connection, piece("of bob", owner="bob"))
    memory = MemoryIndex(partitions=PostgresqlPartitions(limit_bytes=1_000_000))
    exactly = PgvectorIndex(exact_up_to=10**9)

    for change, number, is_kept in changes:
        with shelf.engine.connect() as connection:
            _change(shelf, connection, change, number)
            if is_kept:
                connection.commit()

        with shelf.reading() as connection:
            expected = exactly.nearest(connection, ASKED, scope=SCOPE, limit=4)
            found = next(_looked(memory, connection))
        assert [hit.chunk_id for hit in found] == [hit.chunk_id for hit in expected]
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected])


def _looked(memory: MemoryIndex, connection: Connection) -> Iterator[list[Hit]]:
    """Look until it is there: when much has gone, all is read again by the next who looks."""
    for _ in range(2):
        found = held(memory, connection, limit=4)
        if found is not None:
            yield found


def _change(shelf: Shelf, connection: Connection, change: str, number: int) -> None:
    keys = connection.execute(text("SELECT chunk_id FROM vector_chunks ORDER BY 1")).scalars()
    known = list(keys)
    key = known[number % len(known)] if known else 0
    if change == "comes":
        shelf.put(connection, piece(f"new {known[-1:]}", unit(number, 1)))
    elif change == "comes to bob":
        shelf.put(connection, piece(f"new {known[-1:]}", unit(number, 1), owner="bob"))
    elif change == "goes":
        shelf.take(connection, key)
    elif change == "changes":
        shelf.change(connection, key, unit(-number, 1))
    elif change == "loses its vector":
        connection.execute(
            text("DELETE FROM vector_embeddings WHERE chunk_id = :key"), {"key": key}
        )
    else:
        connection.execute(
            text(
                "UPDATE vector_embeddings SET partition_id ="
                " (SELECT partition_id FROM vector_partitions WHERE owner = 'bob')"
                " WHERE chunk_id = :key"
            ),
            {"key": key},
        )
