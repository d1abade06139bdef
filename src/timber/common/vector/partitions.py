"""The vectors that SQLite holds, kept in memory and kept right.

Every partition and every source has a version in the database: random, and another one after
each change of a vector, whoever makes it and by whatever means. So vectors in memory are those of
the database if their version is; nobody has to tell anybody of anything.

When the version differs, what has come since has higher numbers, and only that is read. Whether
something has gone tells the first half of the version, which only a removal changes.
Vectors that a transaction has not committed are kept apart: of those that are rolled back the
numbers are given again, so nothing may build on them.
"""

import contextlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from timber.common.database.driver_errors import translated
from timber.common.errors import UnfitVectorsError
from timber.common.vector.matrix import Block, Matrix, Numbers, joined

_BATCH: Final = 4096
_LOCKS: Final = 64
_FLOAT: Final = 4
_KEPT_HALF: Final = 16
"""How much of a version only a removal changes."""
_NOT_MANY: Final = 20_000
"""Up to so many new rows, of whatever sources, are looked through for those of one."""


class Span(NamedTuple):
    """The texts of a source, or of one owner in it."""

    source_type: str
    owner: str | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        return (self.source_type,) if self.owner is None else (self.source_type, self.owner)


@dataclass(frozen=True, eq=False)
class _Entry:
    version: str
    layout: int
    """SQLite's count of changes to the tables: numbers begin anew in a table that was replaced."""
    matrix: Matrix


@contextlib.contextmanager
def one_moment(driver: sqlite3.Connection) -> Generator[None]:
    """Read what the database holds at one moment, which is a transaction's anyway."""
    with _drivers_errors():
        if driver.in_transaction:
            yield
            return
        driver.execute("BEGIN")
        try:
            yield
        finally:
            driver.execute("COMMIT")


@contextlib.contextmanager
def _drivers_errors() -> Generator[None]:
    """Translate the errors of the driver, and no others."""
    try:
        yield
    except sqlite3.Error as error:
        with translated():
            raise error from None


class Partitions:
    """The vectors of partitions, and of whole sources, as many as fit into some memory.

    Any number of threads may ask at once. What was used last is kept.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._entries: OrderedDict[tuple[Span, bool], _Entry] = OrderedDict()
        self._nbytes = 0
        self._guard = threading.Lock()
        self._loading = tuple(threading.Lock() for _ in range(_LOCKS))

    @property
    def nbytes(self) -> int:
        """How much memory the vectors take."""
        with self._guard:
            return self._nbytes

    def clear(self) -> None:
        """Forget all vectors."""
        with self._guard:
            self._entries.clear()
            self._nbytes = 0

    def known(self, span: Span) -> Matrix | None:
        """Return the vectors that were there when somebody last looked; None: nobody has."""
        with self._guard:
            entry = self._entries.get((span, True))
        return None if entry is None else entry.matrix

    def matrix(self, driver: sqlite3.Connection, span: Span) -> Matrix | None:
        """Return the vectors that the connection sees; None if they do not fit into memory.

        Raises:
            UnfitVectorsError: they are not all of one length.
            DatabaseError: the database cannot be read.

        """
        is_committed = not driver.in_transaction
        try:  # once a search: a block that translates takes as long as a fifth of the query
            version = _version(driver, span)
        except sqlite3.Error as error:
            with translated():
                raise error from None
        if version is None:
            return Matrix()
        known = self._known(span, version, is_committed=is_committed)
        if known is not None:
            return known.matrix
        if is_committed:
            with self._loading[hash(span) % _LOCKS]:
                return self._load(driver, span, is_committed=True)
        # No lock: who holds it may wait for this very transaction.
        return self._load(driver, span, is_committed=False)

    def blocks(self, driver: sqlite3.Connection, span: Span) -> Iterator[Block]:
        """Read the vectors part by part, and keep none; within `one_moment`."""
        return _read(driver, span, after=0)

    def _load(
        self, driver: sqlite3.Connection, span: Span, *, is_committed: bool
    ) -> Matrix | None:
        with self._guard:
            # Before the moment begins: so where it is one of its own, this is from before it.
            base = self._entries.get((span, True))
        with one_moment(driver):
            version = _version(driver, span)
            if version is None:
                return Matrix()
            known = self._known(span, version, is_committed=is_committed)
            if known is not None:
                return known.matrix
            layout = int(driver.execute("PRAGMA schema_version").fetchone()[0])
            matrix = None
            if base is not None and base.layout == layout:
                matrix = _refreshed(base, driver, span, version, is_older=is_committed)
            if matrix is None:
                if not self._has_room(driver, span):
                    return None
                matrix = _all(driver, span)
        self._keep((span, is_committed), _Entry(version, layout, matrix))
        return matrix

    def _known(self, span: Span, version: str, *, is_committed: bool) -> _Entry | None:
        with self._guard:
            for committed in (True, False):
                entry = self._entries.get((span, committed))
                if entry is not None and entry.version == version:
                    self._entries.move_to_end((span, committed))
                    break
            else:
                return None
            if is_committed and not committed:
                # Others see it: it was committed since.
                self._drop((span, False))
                self._put((span, True), entry)
            return entry

    def _keep(self, key: tuple[Span, bool], entry: _Entry) -> None:
        with self._guard:
            self._put(key, entry)
            while self._nbytes > self._limit_bytes:
                self._drop(next(iter(self._entries)))

    def _put(self, key: tuple[Span, bool], entry: _Entry) -> None:
        if key in self._entries:
            self._drop(key)
        self._entries[key] = entry
        # Kept as a sum: to add them up anew would take as long as there are owners.
        self._nbytes += entry.matrix.nbytes

    def _drop(self, key: tuple[Span, bool]) -> None:
        self._nbytes -= self._entries.pop(key).matrix.nbytes

    def _has_room(self, driver: sqlite3.Connection, span: Span) -> bool:
        rows, length = driver.execute(_SIZE[span.owner is None], span.parameters).fetchone()
        return int(rows) * int(length or 0) <= self._limit_bytes


def _version(driver: sqlite3.Connection, span: Span) -> str | None:
    row = driver.execute(_VERSION[span.owner is None], span.parameters).fetchone()
    return None if row is None else str(row[0])


def _refreshed(
    base: _Entry, driver: sqlite3.Connection, span: Span, version: str, *, is_older: bool
) -> Matrix | None:
    """Return the vectors of this moment, made from those of another one.

    None if that cannot be: the other moment may be later, where a transaction reads for long.
    """
    matrix = base.matrix
    known = (*span.parameters, matrix.last_number)
    if base.version[:_KEPT_HALF] != version[:_KEPT_HALF]:
        rows = driver.execute(_NUMBERS[span.owner is None], known)
        left = np.fromiter((number for (number,) in rows), dtype=np.int64)
        matrix = matrix.keeping(left)
        if matrix.count != len(left):
            return None
    elif not is_older:
        (count,) = driver.execute(_COUNT[span.owner is None], known).fetchone()
        if matrix.count != count:
            return None
    for more in _read(driver, span, after=base.matrix.last_number):
        matrix = matrix.extended(more)
    return matrix


def _all(driver: sqlite3.Connection, span: Span) -> Matrix:
    """Return all the vectors of a span."""
    parts = list(_read(driver, span, after=0))
    if not parts:
        return Matrix()
    return Matrix().extended(joined(parts))


def _read(driver: sqlite3.Connection, span: Span, *, after: int) -> Iterator[Block]:
    """Read the vectors with a higher number than that, in parts, by their numbers."""
    statement = _ROWS_OF_OWNER
    if span.owner is None:
        last = driver.execute("SELECT max(number) FROM vector_embeddings").fetchone()[0] or 0
        statement = _ROWS_OF_SOURCE if last - after > _NOT_MANY else _NEW_ROWS_OF_SOURCE
    cursor = driver.execute(statement, (*span.parameters, after))
    length = None
    while rows := cursor.fetchmany(_BATCH):
        numbers, chunk_ids, vectors = zip(*rows, strict=True)
        length = length or len(vectors[0])
        if length % _FLOAT or any(len(one) != length for one in vectors):
            raise UnfitVectorsError(
                f"the vectors of {span.source_type!r} are not all of one length: "
                f"run `timber vectors reembed {span.source_type}`"
            )
        floats = np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(rows), -1)
        yield Block(numbers=_numbers(numbers), chunk_ids=_numbers(chunk_ids), vectors=floats)


def _numbers(values: tuple[int, ...]) -> Numbers:
    return np.array(values, dtype=np.int64)


_OF_OWNER: Final = (
    "partition_id = (SELECT partition_id FROM vector_partitions"
    " WHERE source_type = ?1 AND owner = ?2) AND number"
)
_OF_SOURCE: Final = (
    "partition_id IN (SELECT partition_id FROM vector_partitions WHERE source_type = ?1)"
    " AND number"
)
_ROWS: Final = "SELECT number, chunk_id, embedding FROM vector_embeddings WHERE "

_ROWS_OF_OWNER: Final = f"{_ROWS}{_OF_OWNER} > ?3 ORDER BY number"
_ROWS_OF_SOURCE: Final = f"{_ROWS}{_OF_SOURCE} > ?2 ORDER BY number"
# The sign keeps SQLite from going through the partitions, of which there may be many.
_NEW_ROWS_OF_SOURCE: Final = f"{_ROWS}+{_OF_SOURCE} > ?2 ORDER BY number"

# Of an owner, and of a whole source.
_VERSION: Final = (
    "SELECT version FROM vector_partitions WHERE source_type = ?1 AND owner = ?2",
    "SELECT version FROM vector_sources WHERE source_type = ?1",
)
_NUMBERS: Final = (
    f"SELECT number FROM vector_embeddings WHERE {_OF_OWNER} <= ?3",
    f"SELECT number FROM vector_embeddings WHERE {_OF_SOURCE} <= ?2",
)
_COUNT: Final = (
    f"SELECT count(*) FROM vector_embeddings WHERE {_OF_OWNER} <= ?3",
    f"SELECT count(*) FROM vector_embeddings WHERE {_OF_SOURCE} <= ?2",
)
_SIZE: Final = (
    f"SELECT count(*), max(length(embedding)) FROM vector_embeddings WHERE {_OF_OWNER} > 0",
    f"SELECT count(*), max(length(embedding)) FROM vector_embeddings WHERE {_OF_SOURCE} > 0",
)
