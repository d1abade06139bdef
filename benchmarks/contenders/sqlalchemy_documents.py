"""SQLAlchemy by hand: texts, vectors as BLOBs, and words in FTS5, in one transaction."""

import contextlib
import json
from collections.abc import Iterator

import numpy as np
from benchmarks.contenders import documents
from benchmarks.contenders.engines import engine_with_tables
from benchmarks.harness.stage import Stage, Trial
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, Text, insert, text

_METADATA = MetaData()
_TEXTS = Table(
    "texts",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", String(255), unique=True),
    Column("content", Text),
    Column("metadata", Text),
    Column("embedding", LargeBinary),
)


@contextlib.contextmanager
def ingest_batch(stage: Stage) -> Iterator[Trial]:
    """Embed all texts, and insert them with Core."""
    given = list(documents.documents(stage.size))
    embedder = documents.Cheap()
    with engine_with_tables(stage.database_url, _METADATA) as engine:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE VIRTUAL TABLE words USING fts5 "
                    "(content, content='texts', content_rowid='id')"
                )
            )

        def work() -> None:
            vectors = embedder.generate_embeddings_batch([body for _, body, _ in given])
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            rows = [
                {
                    "id": number,
                    "key": key,
                    "content": body,
                    "metadata": json.dumps({"topic": topic}),
                    "embedding": vectors[number].tobytes(),
                }
                for number, (key, body, topic) in enumerate(given)
            ]
            with engine.begin() as connection:
                connection.execute(insert(_TEXTS), rows)
                connection.execute(
                    text("INSERT INTO words (rowid, content) SELECT id, content FROM texts")
                )

        def check() -> dict[str, int]:
            with engine.connect() as connection:
                return {"vectors": connection.scalar(text("SELECT count(*) FROM texts")) or 0}

        yield Trial(work=work, check=check)
