"""What is stored of texts, looked at past the services, and what it must be."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import text
from tests.integration.timber.vector.hashing import Hashing

from timber.common.runtime import Timber


@dataclass(frozen=True)
class Stored:
    """A document, put together from its pieces."""

    content: str
    metadata: tuple[tuple[str, Any], ...] = ()
    owner: str = ""


def stored_documents(timber: Timber) -> dict[tuple[str, str], Stored]:
    """Return every document whose pieces are there."""
    statement = text(
        "SELECT source_type, source_id, content, attributes, owner FROM vector_chunks "
        "ORDER BY source_type, source_id, ordinal"
    )
    found: dict[tuple[str, str], Stored] = {}
    with timber.database.engine.connect() as connection:
        for source_type, source_id, content, attributes, owner in connection.execute(statement):
            if isinstance(attributes, str):
                attributes = json.loads(attributes)  # noqa: PLW2901 - SQLite's form of it
            before = found.get((source_type, source_id), Stored(""))
            metadata = tuple(sorted((attributes or {}).items()))
            found[source_type, source_id] = Stored(before.content + content, metadata, owner)
    return found


def count(timber: Timber, table: str) -> int:
    with timber.database.engine.connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def check_vectors(timber: Timber, embedder: Hashing, *, waiting: bool = False) -> None:
    """Demand that each piece has its own vector and its words, and that there is nothing else."""
    statement = text(
        "SELECT c.content, c.partition_id, e.partition_id, e.embedding, p.chunk_id, "
        "o.owner, c.owner "
        "FROM vector_chunks c LEFT JOIN vector_embeddings e ON e.chunk_id = c.chunk_id "
        "LEFT JOIN vector_pending p ON p.chunk_id = c.chunk_id "
        "JOIN vector_partitions o ON o.partition_id = c.partition_id"
    )
    with timber.database.engine.connect() as connection:
        rows = connection.execute(statement).all()
    for content, partition, of_vector, vector, pending, of_partition, owner in rows:
        assert (vector is None) == (pending is not None)
        assert owner == of_partition
        if vector is None:
            assert waiting
            continue
        assert partition == of_vector
        expected = np.array(embedder.of(content))
        assert np.allclose(_numbers(vector), expected / np.linalg.norm(expected), atol=1e-6)
    vectors = sum(row[3] is not None for row in rows)
    assert count(timber, "vector_embeddings") == vectors
    if not waiting:
        assert count(timber, "vector_pending") == 0
        assert count(timber, "vector_outbox") == 0
    _check_words(timber)
    if timber.database.engine.dialect.name == "postgresql":
        check_metadata(timber)


def check_metadata(timber: Timber) -> None:
    """Demand that what lies beside each vector is what is known of its piece."""
    statement = text(
        "SELECT count(*) FROM vector_embeddings e JOIN vector_chunks c ON c.chunk_id = e.chunk_id "
        "WHERE (e.source_type, e.attributes) IS DISTINCT FROM (c.source_type, c.attributes)"
    )
    with timber.database.engine.connect() as connection:
        assert connection.scalar(statement) == 0


def _numbers(vector: Any) -> Any:
    if isinstance(vector, str):
        return np.array(json.loads(vector))
    return np.frombuffer(vector, dtype="<f4")


def _check_words(timber: Timber) -> None:
    if timber.database.engine.dialect.name == "sqlite":
        check = "INSERT INTO vector_fulltext (vector_fulltext, rank) VALUES ('integrity-check', 1)"
        with timber.database.engine.begin() as connection:
            connection.execute(text(check))
