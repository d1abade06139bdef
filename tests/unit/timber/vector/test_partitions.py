"""The vectors in memory are those of the database, and no more is read than has changed."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text
from tests.contracts.vector_index import EAST, NORTH, WEST, piece
from tests.contracts.vector_shelf import NEWS, Shelf, unit

from timber.common.errors import UnfitVectorsError
from timber.common.vector.matrix import Matrix
from timber.common.vector.partitions import Partitions, Span
from timber.common.vector.sqlite_driver import driver_of

ROOM = 1_000_000
ALL = Span(NEWS)
ANN = Span(NEWS, "ann")


@dataclass
class Seen:
    """What SQLite was asked."""

    statements: list[str] = field(default_factory=list)

    @property
    def read_vectors(self) -> int:
        return sum("SELECT number, chunk_id" in one for one in self.statements)


@contextmanager
def watching(driver: sqlite3.Connection) -> Iterator[Seen]:
    seen = Seen()
    driver.set_trace_callback(seen.statements.append)
    yield seen
    driver.set_trace_callback(None)


@pytest.fixture
def partitions() -> Partitions:
    return Partitions(limit_bytes=ROOM)


def matrix(shelf: Shelf, partitions: Partitions, span: Span = ALL) -> Matrix:
    with shelf.reading() as connection:
        found = partitions.matrix(driver_of(connection), span)
    assert found is not None
    return found


def chunk_ids(found: Matrix) -> set[int]:
    return {
        int(key)
        for one in found.blocks
        for at, key in enumerate(one.chunk_ids)
        if one.alive is None or one.alive[at]
    }


def test_what_is_known_is_not_read_again(sqlite_shelf: Shelf, partitions: Partitions) -> None:
    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(connection, piece("1", EAST, owner="ann"))
    matrix(sqlite_shelf, partitions)

    with sqlite_shelf.reading() as connection, watching(driver_of(connection)) as seen:
        partitions.matrix(driver_of(connection), ALL)

    assert len(seen.statements) == 1
    assert not seen.read_vectors


def test_a_change_of_another_owner_costs_nothing(
    sqlite_shelf: Shelf, partitions: Partitions
) -> None:
    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(connection, piece("1", EAST, owner="ann"))
    matrix(sqlite_shelf, partitions, ANN)

    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(connection, piece("2", EAST, owner="bob"))

    with sqlite_shelf.reading() as connection, watching(driver_of(connection)) as seen:
        partitions.matrix(driver_of(connection), ANN)
    assert not seen.read_vectors


@pytest.mark.parametrize("span", [ALL, ANN])
def test_only_what_came_is_read(sqlite_shelf: Shelf, partitions: Partitions, span: Span) -> None:
    with sqlite_shelf.writing() as connection:
        old = sqlite_shelf.put(
            connection, *(piece(str(number), EAST, owner="ann") for number in range(50))
        )
    known = matrix(sqlite_shelf, partitions, span)

    with sqlite_shelf.writing() as connection:
        (new,) = sqlite_shelf.put(connection, piece("new", WEST, owner="ann"))
    found = matrix(sqlite_shelf, partitions, span)

    assert chunk_ids(found) == {*old, new}
    assert found.blocks[0] is known.blocks[0]
    assert [len(one) for one in found.blocks] == [50, 1]


def test_what_was_removed_is_left_out_without_reading_the_rest(
    sqlite_shelf: Shelf, partitions: Partitions
) -> None:
    with sqlite_shelf.writing() as connection:
        keys = sqlite_shelf.put(connection, *(piece(str(number), EAST) for number in range(50)))
    known = matrix(sqlite_shelf, partitions)

    with sqlite_shelf.writing() as connection:
        sqlite_shelf.take(connection, keys[7])
    found = matrix(sqlite_shelf, partitions)

    assert chunk_ids(found) == {*keys} - {keys[7]}
    assert found.blocks[0].vectors is known.blocks[0].vectors


def test_vectors_of_a_transaction_become_everybodys_when_it_commits(
    sqlite_shelf: Shelf, partitions: Partitions
) -> None:
    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(connection, piece("1", EAST))
        within = partitions.matrix(driver_of(connection), ALL)

    assert matrix(sqlite_shelf, partitions) is within


def test_tables_made_anew_are_read_anew(sqlite_shelf: Shelf, partitions: Partitions) -> None:
    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(connection, piece("1", EAST))
    matrix(sqlite_shelf, partitions)
    metadata, engine = sqlite_shelf.timber.base.metadata, sqlite_shelf.engine

    metadata.drop_all(engine)
    metadata.create_all(engine)
    assert not matrix(sqlite_shelf, partitions).count
    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(connection, piece("2", WEST))

    found = matrix(sqlite_shelf, partitions)
    assert found.blocks[0].vectors.tolist() == [WEST.tolist()]


def test_a_reader_of_an_older_moment_gets_the_vectors_of_that(
    tmp_path: object, partitions: Partitions, sqlite_shelf: Shelf
) -> None:
    if "memdb" in str(sqlite_shelf.engine.url):
        return  # in memory a reader keeps writers out
    with sqlite_shelf.writing() as connection:
        first, second = sqlite_shelf.put(connection, piece("1", EAST), piece("2", WEST))
    with sqlite_shelf.reading() as old:
        driver = driver_of(old)
        driver.execute("BEGIN")
        driver.execute("SELECT count(*) FROM vector_chunks").fetchone()
        for change in ("came", "went"):
            with sqlite_shelf.writing() as connection:
                if change == "came":
                    sqlite_shelf.put(connection, piece("3", NORTH))
                else:
                    sqlite_shelf.take(connection, first)
            matrix(sqlite_shelf, partitions)

            found = partitions.matrix(driver, ALL)

            assert found is not None
            assert chunk_ids(found) == {first, second}, change
        driver.execute("COMMIT")


def test_no_more_is_kept_than_fits(sqlite_shelf: Shelf) -> None:
    with sqlite_shelf.writing() as connection:
        for owner in ("ann", "bob", "cy"):
            sqlite_shelf.put(
                connection, *(piece(f"{owner} {n}", EAST, owner=owner) for n in range(10))
            )
    one = matrix(sqlite_shelf, Partitions(limit_bytes=ROOM), ANN).nbytes
    partitions = Partitions(limit_bytes=2 * one)
    for owner in ("ann", "bob", "ann", "cy"):
        matrix(sqlite_shelf, partitions, Span(NEWS, owner))

    assert partitions.nbytes == 2 * one
    with sqlite_shelf.reading() as connection, watching(driver_of(connection)) as seen:
        partitions.matrix(driver_of(connection), ANN)
        assert not seen.read_vectors
        partitions.matrix(driver_of(connection), Span(NEWS, "bob"))
        assert seen.read_vectors


def test_vectors_of_different_lengths_are_an_error_with_a_cure(
    sqlite_shelf: Shelf, partitions: Partitions
) -> None:
    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(connection, piece("1", EAST), piece("2", unit(1, 2, 3)))

    with pytest.raises(UnfitVectorsError, match="timber vectors reembed news"):
        matrix(sqlite_shelf, partitions)


def test_threads_that_ask_at_once_read_once(sqlite_shelf: Shelf, partitions: Partitions) -> None:
    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(connection, *(piece(str(n), EAST) for n in range(100)))
    begin, found = threading.Barrier(4), []

    def ask() -> None:
        begin.wait()
        found.append(matrix(sqlite_shelf, partitions))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert all(one is found[0] for one in found)


_A_TEXT = """
INSERT INTO vector_chunks
(partition_id, source_type, source_id, ordinal, owner, content, created_at) VALUES
(1, 'news', 'raw', 0, '', 'raw', '2026-01-01 00:00:00')
"""
_ITS_VECTOR = """
INSERT INTO vector_embeddings (chunk_id, partition_id, embedding)
SELECT max(chunk_id), 1, x'00000000' FROM vector_chunks
"""


def test_versions_are_renewed_by_every_kind_of_write(sqlite_shelf: Shelf) -> None:
    def versions() -> set[str]:
        with sqlite_shelf.reading() as connection:
            sources = connection.scalars(text("SELECT version FROM vector_sources"))
            return {*sources, *connection.scalars(text("SELECT version FROM vector_partitions"))}

    with sqlite_shelf.writing() as connection:
        sqlite_shelf.put(connection, piece("1", EAST))
    writes = (
        "UPDATE vector_embeddings SET embedding = embedding",
        _A_TEXT,
        _ITS_VECTOR,
        "DELETE FROM vector_embeddings WHERE chunk_id = 1",
        "DELETE FROM vector_chunks",
    )
    for write in writes:
        before = versions()
        with sqlite_shelf.writing() as connection:
            connection.execute(text(write))
        assert (versions() == before) == (write is _A_TEXT), write
