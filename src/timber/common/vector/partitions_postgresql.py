"""The vectors of large partitions on PostgreSQL, kept in memory and kept right.

Every vector bears the number of the transaction that wrote it (`postgresql_tables.py`), and a
matrix the snapshot of the moment that it shows. So what has come since, or changed, is what has
a transaction which that snapshot does not see; only this is read, by an index.
What has gone tells nobody: whoever finds something looks whether it is there still, and says so.
No writer pays for any of it but the number, and none waits for another.
"""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import numpy as np
from sqlalchemy import Connection

from timber.common.vector.matrix import Block, Matrix, joined
from timber.common.vector.partitions import Span
from timber.common.vector.postgresql_driver import reading
from timber.common.vector.postgresql_tables import WRITTEN_BY
from timber.common.vector.steps import Asked, Steps, taken
from timber.common.vector.tables import EMBEDDINGS

_LOCKS: Final = 64
_NOT_MANY: Final = 4_000
"""When more have come since, all are read again."""
_UNUSED: Final = 1_000
"""What was not looked at in so many searches may go for something else."""
_BATCH: Final = 8192
NAME_BYTES: Final = 150
"""What it takes in memory to know of which text a piece is."""


@dataclass(frozen=True, eq=False)
class Held:
    """The vectors of a partition, as they were at some moment."""

    matrix: Matrix = field(default_factory=Matrix)
    source_ids: dict[int, str] = field(default_factory=dict)
    """Of which text each piece is, which never changes: the same for all moments."""
    partition_id: int = 0
    snapshot: str = ""
    """What PostgreSQL saw when it gave the vectors."""

    @property
    def nbytes(self) -> int:
        return self.matrix.nbytes + NAME_BYTES * len(self.source_ids)


@dataclass(frozen=True)
class _Since:
    """What has come since a snapshot."""

    snapshot: str
    partition_id: int | None
    chunk_ids: tuple[int, ...]
    vectors: tuple[bytes, ...]
    source_ids: tuple[str, ...]


class PostgresqlPartitions:
    """The vectors of partitions, as many as fit into some memory.

    Any number of threads may ask at once. What was used lately stays: others are searched for in
    the database, rather than to read all of it time and again.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._entries: dict[Span, Held] = {}
        self._used: dict[Span, int] = {}
        self._searches = 0
        self._guard = threading.Lock()
        self._loading = tuple(threading.Lock() for _ in range(_LOCKS))

    @property
    def nbytes(self) -> int:
        """How much memory the vectors take."""
        with self._guard:
            return self._taken()

    def clear(self) -> None:
        """Forget all vectors."""
        with self._guard:
            self._entries.clear()
            self._used.clear()

    def known(self, span: Span) -> Matrix | None:
        """Return the vectors that were there when somebody last looked; None: nobody has."""
        with self._guard:
            entry = self._entries.get(span)
        return None if entry is None else entry.matrix

    def held(self, connection: Connection, span: Span, *, nbytes: int) -> Held | None:
        """Return the vectors that the connection sees, which take about so many bytes.

        None where the database is to be searched itself: there is no room, somebody else is at
        reading them, they are not all of one length, or the connection's transaction sees what
        others do not, or not what others do.

        Raises:
            DatabaseError: the database cannot be read.

        """
        return taken(connection, self.looked_up(connection, span, nbytes=nbytes))

    def looked_up(self, connection: Connection, span: Span, *, nbytes: int) -> Steps[Held | None]:
        """Do as `held`, in steps."""
        with self._guard:
            # Before the database is asked: so what is known is from before the answer.
            known = self._entries.get(span)
            self._searches += 1
            self._used[span] = self._searches
        since = yield from _since(span, known)
        if since is None:
            return None
        if since.partition_id is None:
            return Held()
        entry = _refreshed(known, since) if known else None
        if entry is None:
            entry = self._loaded(connection, span, since, nbytes=nbytes)
        if entry is not None and entry is not known:
            self._keep(span, entry)
        return entry

    def without(self, span: Span, held: Held, chunk_ids: Collection[int]) -> Held:
        """Return vectors without those of pieces that are there no more, and keep it so."""
        left = replace(held, matrix=_without(held.matrix, chunk_ids))
        with self._guard:
            for one in chunk_ids:
                held.source_ids.pop(one, None)
            known = self._entries.get(span)
            if known is not None and known.matrix is held.matrix:
                self._entries[span] = replace(known, matrix=left.matrix)
        return left

    def forget(self, span: Span) -> None:
        """Let the vectors of a span be read anew."""
        with self._guard:
            self._entries.pop(span, None)

    def _loaded(
        self, connection: Connection, span: Span, since: _Since, *, nbytes: int
    ) -> Held | None:
        partition_id = since.partition_id
        if partition_id is None:
            return None
        lock = self._loading[hash(span) % _LOCKS]
        if not self._makes_room(span, nbytes) or not lock.acquire(blocking=False):
            return None
        try:
            every = _all(connection, partition_id)
        finally:
            lock.release()
        # What came while it was read has come since the snapshot, too, and takes its place.
        return None if every is None else replace(every, snapshot=since.snapshot)

    def _makes_room(self, span: Span, nbytes: int) -> bool:
        """Tell whether so much fits, beside all that was used lately; let go of the rest."""
        with self._guard:
            self._entries.pop(span, None)
            for other in list(self._entries):
                if self._taken() + nbytes <= self._limit_bytes:
                    break
                if self._searches - self._used[other] > _UNUSED:
                    del self._entries[other], self._used[other]
            return self._taken() + nbytes <= self._limit_bytes

    def _keep(self, span: Span, entry: Held) -> None:
        with self._guard:
            self._entries[span] = entry

    def _taken(self) -> int:
        return sum(one.nbytes for one in self._entries.values())


def _refreshed(known: Held, since: _Since) -> Held | None:
    """Return the vectors of this moment, made from those of another one; None if it cannot be."""
    if known.partition_id != since.partition_id or len(since.chunk_ids) == _NOT_MANY:
        return None
    matrix = known.matrix
    if since.chunk_ids:
        more = _block(since.chunk_ids, since.vectors, after=matrix.last_number)
        if more is None or more.vectors.shape[1] != matrix.dimension:
            return None
        matrix = _without(matrix, since.chunk_ids).extended(more)
        known.source_ids.update(zip(since.chunk_ids, since.source_ids, strict=True))
    return replace(known, matrix=matrix, snapshot=since.snapshot)


def _without(matrix: Matrix, chunk_ids: Collection[int]) -> Matrix:
    """Return a matrix in which the vectors of some pieces are left out."""
    out = np.array(sorted(chunk_ids), dtype=np.int64)
    gone = [one.numbers[one.positions(out)] for one in matrix.blocks]
    if not any(map(len, gone)):
        return matrix
    kept = [
        np.setdiff1d(one.numbers, numbers, assume_unique=True)
        for one, numbers in zip(matrix.blocks, gone, strict=True)
    ]
    return matrix.keeping(np.concatenate(kept))


def _since(span: Span, known: Held | None) -> Steps[_Since | None]:
    """Read what has come since; None where the transaction sees otherwise than others."""
    given = {
        "source": span.source_type,
        "owner": span.owner,
        "seen": known.snapshot if known else _NEVER,
        "most": _NOT_MANY if known else 0,
    }
    rows = yield Asked(_SINCE, given)
    snapshot, is_usual, partition_id = rows[0][:_ABOUT]
    if not is_usual:
        return None
    come = [row[_ABOUT:] for row in rows if row[_ABOUT] is not None]
    chunk_ids, vectors, source_ids = zip(*come, strict=True) if come else ((), (), ())
    return _Since(snapshot, partition_id, chunk_ids, vectors, source_ids)


def _all(connection: Connection, partition_id: int) -> Held | None:
    """Return all the vectors of a partition; None where they are not of one length."""
    parts, source_ids = list[Block](), dict[int, str]()
    with reading(connection) as cursor, cursor.copy(_ALL, (partition_id,)) as copy:
        rows = copy.rows()
        while some := list(islice(rows, _BATCH)):
            keys, vectors, names = zip(*some, strict=True)
            chunk_ids = tuple(map(int.from_bytes, keys))
            source_ids.update(zip(chunk_ids, map(bytes.decode, names), strict=True))
            part = _block(chunk_ids, vectors, after=_BATCH * len(parts))
            if part is None or (parts and part.vectors.shape[1] != parts[0].vectors.shape[1]):
                return None
            parts.append(part)
    matrix = Matrix().extended(joined(parts)) if parts else Matrix()
    return Held(matrix, source_ids, partition_id)


def _block(chunk_ids: Sequence[int], written: Sequence[bytes], *, after: int) -> Block | None:
    """Return vectors as pgvector sends them as a block; None if they are not of one length."""
    if any(len(one) != len(written[0]) for one in written):
        return None
    # Before its numbers each has its length, which takes as many bytes as one of them.
    table = np.frombuffer(b"".join(written), dtype=">f4").reshape(len(written), -1)
    return Block(
        numbers=np.arange(after + 1, after + 1 + len(written), dtype=np.int64),
        chunk_ids=np.array(chunk_ids, dtype=np.int64),
        vectors=np.ascontiguousarray(table[:, 1:], dtype=np.float32),
    )


_ABOUT: Final = 3
"""How many columns tell of the snapshot and the partition, before those of a vector."""
_NEVER: Final = "1:1:"
"""The snapshot of a database in which nothing was ever written."""

_SINCE: Final = (
    "SELECT CAST(pg_current_snapshot() AS text), pg_current_xact_id_if_assigned() IS NULL"
    " AND current_setting('transaction_isolation') = 'read committed' AND NOT pg_is_in_recovery(),"
    " mine.partition_id, come.chunk_id, come.embedding,"
    " (SELECT source_id FROM vector_chunks AS its WHERE its.chunk_id = come.chunk_id)"
    " FROM (VALUES (1)) AS always LEFT JOIN"
    " vector_partitions AS mine ON mine.source_type = %(source)s AND mine.owner = %(owner)s"
    f" LEFT JOIN LATERAL (SELECT chunk_id, embedding FROM {EMBEDDINGS}"
    f" WHERE partition_id = mine.partition_id AND {WRITTEN_BY} >="
    " pg_snapshot_xmin(CAST(%(seen)s AS pg_snapshot))"
    # What was restored from another server may bear numbers that are still to come here.
    f" AND {WRITTEN_BY} < pg_snapshot_xmax(pg_current_snapshot())"
    f" AND NOT pg_visible_in_snapshot({WRITTEN_BY}, CAST(%(seen)s AS pg_snapshot))"
    # An order that the index has, so that nothing but it is read.
    f" ORDER BY {WRITTEN_BY} LIMIT %(most)s) AS come ON TRUE"
)
_ALL: Final = (
    f"COPY (SELECT chunk_id, embedding, source_id FROM {EMBEDDINGS}"
    " JOIN vector_chunks USING (chunk_id) WHERE vector_embeddings.partition_id = %s)"
    " TO STDOUT (FORMAT BINARY)"
)
