"""sqlite-vec: its virtual table, in an SQLite that may load extensions."""

import contextlib
from collections.abc import Iterator
from typing import Any

import apsw
import sqlite_vec
from benchmarks.contenders.vector_data import (
    DIMENSION,
    LIMIT,
    OWNERS,
    QUERIES,
    Data,
    data_of,
    trial,
)
from benchmarks.harness.stage import Stage, Trial

_FEWER = 12
_ALL = "SELECT rowid FROM notes WHERE embedding MATCH ? AND k = ?"


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search all vectors."""
    data = data_of(stage)
    connection = _filled(data, "notes.db", "")

    def ask(place: int) -> list[int]:
        given = (data.queries[place].tobytes(), LIMIT)
        return [number for (number,) in connection.execute(_ALL, given)]

    yield trial(ask, data.truth, queries=_FEWER)
    connection.close()


@contextlib.contextmanager
def search_owner(stage: Stage) -> Iterator[Trial]:
    """Search those of one owner: the partition key."""
    data = data_of(stage)
    connection = _filled(data, "owners.db", "owner INTEGER PARTITION KEY,")

    def ask(place: int) -> list[int]:
        given = (data.queries[place].tobytes(), LIMIT, place % OWNERS)
        return [number for (number,) in connection.execute(f"{_ALL} AND owner = ?", given)]

    yield trial(ask, data.truth_of_owner, queries=QUERIES)
    connection.close()


@contextlib.contextmanager
def search_topic(stage: Stage) -> Iterator[Trial]:
    """Search those with one topic: a column of metadata."""
    data = data_of(stage)
    connection = _filled(data, "topics.db", "owner INTEGER,")

    def ask(place: int) -> list[int]:
        given = (data.queries[place].tobytes(), LIMIT, place % OWNERS)
        return [number for (number,) in connection.execute(f"{_ALL} AND owner = ?", given)]

    yield trial(ask, data.truth_of_owner, queries=_FEWER)
    connection.close()


def _filled(data: Data, name: str, column: str) -> Any:
    """Return a connection to the database, which the first run of a size fills."""
    path = data.folder / name
    is_new = not path.exists()
    connection = apsw.Connection(str(path))
    connection.enable_load_extension(True)  # noqa: FBT003 - of apsw
    connection.load_extension(sqlite_vec.loadable_path())
    if is_new:
        connection.execute(
            f"CREATE VIRTUAL TABLE notes USING vec0 ({column} embedding float[{DIMENSION}]"
            " distance_metric=cosine)"
        )
        with connection:
            connection.executemany(
                f"INSERT INTO notes (rowid, {'owner,' if column else ''} embedding)"  # noqa: S608 - names of our own
                f" VALUES (?, {'?,' if column else ''} ?)",
                (
                    (number + 1, *((number % OWNERS,) if column else ()), vector.tobytes())
                    for number, vector in enumerate(data.vectors)
                ),
            )
    return connection
