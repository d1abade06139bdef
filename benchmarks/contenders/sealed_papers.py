"""Timber, over papers that are encrypted and found all the same, and over their twins in clear."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from benchmarks.contenders.documents import Cheap
from benchmarks.contenders.word_data import OWNERS, drawn
from benchmarks.harness.stage import Stage, Trial
from sqlalchemy import text

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

TWINS: Final[Mapping[str, str]] = {"clear": "ClearPaper", "sealed": "SealedPaper"}
_LIMIT: Final = 10

_TABLE: Final = """
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: body, type: Text}
    gdpr: {enabled: true}"""
_MODELS: Final = f"""
models:
  - name: ClearPaper
    table_name: clear{_TABLE}
    vector_search: {{enabled: true, content_field: body, owner_field: user_id}}
  - name: SealedPaper
    table_name: sealed{_TABLE}
    encryption: {{enabled: true, fields: [body]}}
    vector_search:
      {{enabled: true, content_field: body, owner_field: user_id, embeds_encrypted: true}}
"""


@contextlib.contextmanager
def take_in(stage: Stage) -> Iterator[Trial]:
    """Store rows of both, and have them followed until each has its vector."""
    rows, _ = _papers(stage)
    with _opened(stage) as timber:
        yield _timed(timber, lambda twin: _take_in(timber, twin, rows))


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search both by meaning and words."""
    rows, queries = _papers(stage)
    with _opened(stage) as timber:
        for twin in TWINS:
            _take_in(timber, twin, rows)
            timber.vector_search.search(queries[0], twin)  # has the vectors in memory

        def ask(twin: str) -> None:
            for query in queries:
                found = timber.vector_search.search(query, twin, limit=_LIMIT)
                if sum(bool(one["content"]) for one in found) != _LIMIT:
                    raise ValueError(f"{twin}: {_LIMIT} texts are there to be found")

        yield _timed(timber, ask)


def _timed(timber: Timber, work: Callable[[str], None]) -> Trial:
    """Return the trial of the same work on either twin, which tells the CPU seconds of each."""
    seconds: dict[str, float] = {}

    def both() -> None:
        for twin in TWINS:
            before = time.process_time()
            work(twin)
            seconds[f"{twin} CPU seconds"] = time.process_time() - before

    return Trial(work=both, check=lambda: {**seconds, **_stored(timber)})


@contextlib.contextmanager
def _opened(stage: Stage) -> Iterator[Timber]:
    models = stage.folder / "models"
    models.mkdir()
    models.joinpath("papers.yaml").write_text(_MODELS, encoding="utf-8")
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
        people = [
            {"user_id": str(one), "username": str(one), "email": f"{one}@example.org"}
            for one in range(OWNERS)
        ]
        timber.database.bulk_insert(timber.models.get("User"), people)
        yield timber


def _papers(stage: Stage) -> tuple[list[dict[str, Any]], list[str]]:
    texts, queries = drawn(stage.size)
    rows = [
        {"id": str(number), "user_id": str(number % OWNERS), "body": body}
        for number, body in enumerate(texts)
    ]
    return rows, queries


def _take_in(timber: Timber, twin: str, rows: list[dict[str, Any]]) -> None:
    timber.database.bulk_insert(timber.models.get(TWINS[twin]), rows)
    timber.vector_ingestion.process_pending(twin)


def _stored(timber: Timber) -> dict[str, int]:
    with timber.database.engine.connect() as connection:
        vectors = connection.scalar(text("SELECT count(*) FROM vector_embeddings"))
        sealed = connection.scalar(text("SELECT count(sealed) FROM vector_chunks"))
    return {"vectors": vectors or 0, "sealed": sealed or 0}
