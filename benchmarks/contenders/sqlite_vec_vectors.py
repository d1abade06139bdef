"""sqlite-vec: its virtual table, in an SQLite that may load extensions."""

import contextlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

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

_FEWER: Final = 12
_FILLING_KIB: Final = 400_000
_ALL: Final = "SELECT rowid FROM notes WHERE embedding MATCH ? AND k = ?"


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
    """Search those of one owner, the same each time: the partition key."""
    with _searching_owner(data_of(stage), lambda _: 0, "truth_of_one") as ready:
        yield ready


@contextlib.contextmanager
def search_owners(stage: Stage) -> Iterator[Trial]:
    """Search those of one owner, another each time."""
    data = data_of(stage)
    with _searching_owner(data, lambda place: place % OWNERS, "truth_of_owner") as ready:
        yield ready


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


@contextlib.contextmanager
def _searching_owner(data: Data, owner_of: Callable[[int], int], truth: str) -> Iterator[Trial]:
    connection = _filled(data, "owners.db", "owner INTEGER PARTITION KEY,")

    def ask(place: int) -> list[int]:
        given = (data.queries[place].tobytes(), LIMIT, owner_of(place))
        return [number for (number,) in connection.execute(f"{_ALL} AND owner = ?", given)]

    yield trial(ask, getattr(data, truth), queries=QUERIES)
    connection.close()


def _filled(data: Data, name: str, column: str) -> Any:
    """Return a connection to the database, which the first run of a size fills."""
    path = data.folder / name
    if not path.exists():
        connection = _opened(path)
        _fill(connection, data, column)
        connection.close()
    return _opened(path)


def _opened(path: Path) -> Any:
    connection = apsw.Connection(str(path))
    connection.enable_load_extension(True)  # noqa: FBT003 - of apsw
    connection.load_extension(sqlite_vec.loadable_path())
    return connection


def _fill(connection: Any, data: Data, column: str) -> None:
    # It writes into the midst of one long row for each thousand vectors, on whose pages SQLite
    # would wait for the disk again and again: they stay in memory, and an owner's come together.
    connection.execute(f"PRAGMA cache_size = -{_FILLING_KIB}")
    connection.execute(
        f"CREATE VIRTUAL TABLE notes USING vec0 ({column} embedding float[{DIMENSION}]"
        " distance_metric=cosine)"
    )
    owned = (range(owner, len(data.vectors), OWNERS) for owner in range(OWNERS))
    is_parted = "PARTITION" in column
    places = chain.from_iterable(owned) if is_parted else range(len(data.vectors))
    with connection:
        connection.executemany(
            f"INSERT INTO notes (rowid, {'owner,' if column else ''} embedding)"
            f" VALUES (?, {'?,' if column else ''} ?)",
            (
                (place + 1, *((place % OWNERS,) if column else ()), data.vectors[place].tobytes())
                for place in places
            ),
        )
