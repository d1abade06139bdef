"""Texts and vectors in a database, put there as plainly as can be: what indexes are tried on."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert, select, update

from timber.common.runtime import Timber
from timber.common.vector.tables import embeddings

Floats = NDArray[np.float32]

NEWS: Final = "news"


def unit(*numbers: float) -> Floats:
    """Return the vector of length one that points there."""
    vector = np.array(numbers, dtype=np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece of text; without a vector it is one that was not embedded yet."""

    source_id: str
    content: str = "something"
    vector: Floats | None = None
    source_type: str = NEWS
    owner: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    words: str | None = None


class Shelf:
    """A Timber, and what is put on it."""

    def __init__(self, timber: Timber) -> None:
        self.timber = timber
        self.engine = timber.database.engine
        self._table = {
            name: timber.models.get(f"Vector{name}").__table__
            for name in ("Source", "Partition", "Chunk")
        }

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection, and commit in the end."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading."""
        with self.engine.connect() as connection:
            yield connection

    def put(self, connection: Connection, *pieces: Piece) -> list[int]:
        """Store pieces; return their keys."""
        chunk = self._table["Chunk"]
        places = {
            place: self._partition(connection, *place)
            for place in sorted({(piece.source_type, piece.owner) for piece in pieces})
        }
        rows = [
            {
                "partition_id": places[piece.source_type, piece.owner],
                "source_type": piece.source_type,
                "source_id": piece.source_id,
                "ordinal": 0,
                "owner": piece.owner,
                "content": piece.content,
                "words": piece.words,
                "attributes": dict(piece.metadata),
            }
            for piece in pieces
        ]
        stored = insert(chunk).returning(chunk.c.chunk_id, sort_by_parameter_order=True)
        keys = list(connection.scalars(stored, rows))
        self.embed(
            connection,
            {
                key: piece.vector
                for key, piece in zip(keys, pieces, strict=True)
                if piece.vector is not None
            },
        )
        return keys

    def embed(self, connection: Connection, vectors: Mapping[int, Floats]) -> None:
        """Store the vectors of pieces that have none."""
        chunk = self._table["Chunk"]
        rows = connection.execute(select(chunk.c.chunk_id, chunk.c.partition_id))
        of = {int(key): int(partition) for key, partition in rows}
        given = [
            {"chunk_id": key, "partition_id": of[key], "embedding": self.stored(vector)}
            for key, vector in vectors.items()
        ]
        if given:
            connection.execute(insert(embeddings), given)

    def change(self, connection: Connection, key: int, vector: Floats) -> None:
        """Store another vector of a piece."""
        changed = update(embeddings).where(embeddings.c.chunk_id == key)
        connection.execute(changed.values(embedding=self.stored(vector)))

    def take(self, connection: Connection, *keys: int) -> None:
        """Remove pieces."""
        chunk = self._table["Chunk"]
        connection.execute(delete(chunk).where(chunk.c.chunk_id.in_(keys)))

    def take_all(self, connection: Connection, source_type: str = NEWS) -> None:
        """Remove all the pieces of a source."""
        chunk = self._table["Chunk"]
        connection.execute(delete(chunk).where(chunk.c.source_type == source_type))

    def rewrite(self, connection: Connection, key: int, content: str) -> None:
        """Give a piece another content."""
        chunk = self._table["Chunk"]
        connection.execute(update(chunk).where(chunk.c.chunk_id == key).values(content=content))

    def stored(self, vector: Floats) -> Any:
        """Return a vector as the database takes it."""
        if self.engine.dialect.name == "sqlite":
            return vector.astype("<f4").tobytes()
        return "[" + ",".join(repr(float(number)) for number in vector) + "]"

    def _partition(self, connection: Connection, source_type: str, owner: str) -> int:
        source, partition = self._table["Source"], self._table["Partition"]
        known = select(source.c.number).where(source.c.source_type == source_type)
        if connection.scalar(known) is None:
            connection.execute(insert(source).values(source_type=source_type))
        key = select(partition.c.partition_id).where(
            partition.c.source_type == source_type, partition.c.owner == owner
        )
        found = connection.scalar(key)
        if found is not None:
            return int(found)
        made = insert(partition).values(source_type=source_type, owner=owner)
        return int(_key(connection.execute(made).inserted_primary_key))


def _key(row: Sequence[Any] | None) -> Any:
    assert row is not None
    return row[0]
