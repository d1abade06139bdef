"""Timber, over papers that are encrypted and found all the same, and over their twins in clear."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.contenders.documents import Cheap
from benchmarks.contenders.word_data import OWNERS, drawn
from benchmarks.harness.stage import Facts, Stage, Trial
from sqlalchemy import text

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

_LIMIT: Final = 10

_MODEL: Final = """
models:
  - name: Paper
    table_name: papers
    columns:
      - {{name: id, type: String(36), primary_key: true}}
      - {{name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}}
      - {{name: body, type: Text}}
    vector_search: {{enabled: true, content_field: body, owner_field: user_id{consent}}}
    encryption: {{enabled: {sealed}, fields: [body]}}
    gdpr: {{enabled: true}}
"""


@contextlib.contextmanager
def take_in_sealed(stage: Stage) -> Iterator[Trial]:
    """Store encrypted rows, and have them followed until each has its vector."""
    with _taking_in(stage, sealed=True) as trial:
        yield trial


@contextlib.contextmanager
def take_in_clear(stage: Stage) -> Iterator[Trial]:
    """Store the same rows in clear."""
    with _taking_in(stage, sealed=False) as trial:
        yield trial


@contextlib.contextmanager
def search_sealed(stage: Stage) -> Iterator[Trial]:
    """Search encrypted rows."""
    with _searching(stage, sealed=True) as trial:
        yield trial


@contextlib.contextmanager
def search_clear(stage: Stage) -> Iterator[Trial]:
    """Search the same rows in clear."""
    with _searching(stage, sealed=False) as trial:
        yield trial


@contextlib.contextmanager
def _taking_in(stage: Stage, *, sealed: bool) -> Iterator[Trial]:
    rows, _ = _papers(stage)
    with _opened(stage, sealed=sealed) as timber:
        yield Trial(
            work=lambda: _take_in(timber, rows), check=lambda: _stored(timber, sealed=sealed)
        )


@contextlib.contextmanager
def _searching(stage: Stage, *, sealed: bool) -> Iterator[Trial]:
    rows, queries = _papers(stage)
    counts = {"queries": 0, "results": 0}
    with _opened(stage, sealed=sealed) as timber:
        _take_in(timber, rows)
        timber.vector_search.search(queries[0], "papers")  # has the vectors in memory

        def work() -> None:
            for query in queries:
                found = timber.vector_search.search(query, "papers", limit=_LIMIT)
                counts["queries"] += 1
                counts["results"] += sum(bool(one["content"]) for one in found)

        yield Trial(work=work, check=lambda: {**counts, **_stored(timber, sealed=sealed)})


@contextlib.contextmanager
def _opened(stage: Stage, *, sealed: bool) -> Iterator[Timber]:
    models = stage.folder / "models"
    models.mkdir()
    consent = ", embeds_encrypted: true" if sealed else ""
    models.joinpath("papers.yaml").write_text(
        _MODEL.format(sealed=str(sealed).lower(), consent=consent), encoding="utf-8"
    )
    settings = TimberSettings(
        database_url=stage.database_url,
        model_config_dirs=(models,),
        packaged_models=False,
        enable_auto_vector_ingestion=False,
        keystore=str(stage.folder / "keys"),
    )
    with Timber().opened(settings) as timber:
        timber.vector_ingestion.embedding_service = Cheap()
        timber.vector_search.embedding_service = Cheap()
        user = timber.models.get("User")
        people = [
            {"user_id": str(one), "username": str(one), "email": f"{one}@example.org"}
            for one in range(OWNERS)
        ]
        timber.database.bulk_insert(user, people)
        yield timber


def _papers(stage: Stage) -> tuple[list[dict[str, str]], list[str]]:
    texts, queries = drawn(stage.size)
    rows = [
        {"id": str(number), "user_id": str(number % OWNERS), "body": body}
        for number, body in enumerate(texts)
    ]
    return rows, queries


def _take_in(timber: Timber, rows: list[dict[str, Any]]) -> None:
    timber.database.bulk_insert(timber.models.get("Paper"), rows)
    timber.vector_ingestion.process_pending()


def _stored(timber: Timber, *, sealed: bool) -> Facts:
    with timber.database.engine.connect() as connection:
        vectors = connection.scalar(text("SELECT count(*) FROM vector_embeddings")) or 0
        opaque = connection.scalar(text("SELECT count(sealed) FROM vector_chunks"))
    return {"vectors": vectors, "as meant": int(opaque == (vectors if sealed else 0))}
