"""Timber, taking in documents with an embedder that costs next to nothing."""

import contextlib
from collections.abc import Iterator

from benchmarks.contenders import documents
from benchmarks.harness.stage import Stage, Trial
from sqlalchemy import text

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

_MODEL = """
models:
  - name: Paper
    table_name: papers
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: body, type: Text}
      - {name: topic, type: String(20)}
    vector_search: {enabled: true, content_field: body, metadata_fields: [topic]}
"""


@contextlib.contextmanager
def _opened(stage: Stage) -> Iterator[Timber]:
    stage.folder.joinpath("papers.yaml").write_text(_MODEL, encoding="utf-8")
    settings = TimberSettings(
        database_url=stage.database_url,
        model_config_dirs=(stage.folder,),
        packaged_models=False,
        enable_auto_vector_ingestion=False,
    )
    with Timber().opened(settings) as timber:
        timber.vector_ingestion.embedding_service = documents.Cheap()
        yield timber


def _stored(timber: Timber) -> dict[str, int]:
    with timber.database.engine.connect() as connection:
        count = connection.scalar(text("SELECT count(*) FROM vector_embeddings"))
    return {"vectors": count or 0}


@contextlib.contextmanager
def ingest_batch(stage: Stage) -> Iterator[Trial]:
    """Hand documents in, all by one call."""
    given = [
        {
            "content": body,
            "source_type": "papers_given",
            "source_id": key,
            "metadata": {"topic": topic},
        }
        for key, body, topic in documents.documents(stage.size)
    ]
    with _opened(stage) as timber:
        yield Trial(
            work=lambda: timber.vector_ingestion.ingest_documents_batch(given),
            check=lambda: _stored(timber),
        )


@contextlib.contextmanager
def follow_rows(stage: Stage) -> Iterator[Trial]:
    """Store rows, and have them followed until each has its vector."""
    rows = [
        {"id": key, "body": body, "topic": topic}
        for key, body, topic in documents.documents(stage.size)
    ]
    with _opened(stage) as timber:

        def work() -> None:
            timber.database.bulk_insert(timber.models.get("Paper"), rows)
            timber.vector_ingestion.process_pending()

        yield Trial(work=work, check=lambda: _stored(timber))
