"""Reads stored vectors of single pieces, as NumPy has them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select

from timber.common.vector.numerics import numpy
from timber.common.vector.store import batches
from timber.common.vector.tables import embeddings

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors

_AT_ONCE: Final = 500


def read_vectors(connection: Connection, chunk_ids: Iterable[int]) -> "dict[int, Vectors]":
    """Return the vectors of pieces, by `chunk_id`; those that have none yet are left out."""
    found: dict[int, Any] = {}
    for some in batches(chunk_ids, _AT_ONCE):
        statement = select(embeddings.c.chunk_id, embeddings.c.embedding)
        rows = connection.execute(statement.where(embeddings.c.chunk_id.in_(some)))
        found.update((chunk_id, _vector(stored)) for chunk_id, stored in rows)
    return found


def mean_of(vectors: "Sequence[Vectors]") -> "Vectors":
    """Return the mean direction of vectors, of which there is one at least."""
    np = numpy()
    total = np.sum(vectors, axis=0, dtype=np.float64)
    length = np.linalg.norm(total)
    if not length:  # they are opposites: one direction is as good as another
        return vectors[0]
    mean: Vectors = (total / length).astype(np.float32)
    return mean


def _vector(stored: Any) -> "Vectors":
    np = numpy()
    if isinstance(stored, str):  # of PostgreSQL, `[0.1,0.2]`
        written: Vectors = np.array(stored[1:-1].split(","), dtype=np.float32)
        return written
    read: Vectors = np.frombuffer(stored, dtype="<f4").astype(np.float32, copy=False)
    return read
