"""What was just written is found: also while others are at it, and however much else waits."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from tests.integration.timber.vector.conftest import settings_of
from tests.integration.timber.vector.hashing import Hashing

from timber.common.runtime import Timber
from timber.common.vector import ingestion
from timber.common.vector.embedders.words_only import WordsOnly
from timber.common.vector.outbox import ROWS
from timber.common.vector.search import PENDING_FIRST

pytestmark = pytest.mark.integration

_PATIENCE_SECONDS = 30
_LOOKED_FOR_SECONDS = 0.5


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_a_search_finds_by_its_meaning_what_another_is_just_storing(
    timber: Timber, pool: ThreadPoolExecutor
) -> None:
    engine, held = timber.database.engine, _Held()
    _write(timber, "fog over the harbour")
    event.listen(engine, "commit", held.before)
    try:
        storing: Future[Any] = pool.submit(held.run, timber.vector_ingestion.process_pending)
        assert held.is_stored.wait(_PATIENCE_SECONDS)
        searching = pool.submit(_found, timber, "fog over the harbour", "dense")
        wait([searching], timeout=_LOOKED_FOR_SECONDS)
    finally:
        held.go_on.set()

    assert searching.result() == ["fog over the harbour"]
    assert storing.result().chunks == 1
    event.remove(engine, "commit", held.before)


def test_on_postgresql_a_search_waits_for_nobody_who_is_about_to_delete_a_text(
    postgresql_url: str, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    with Timber().opened(settings_of(postgresql_url, tmp_path / "models")) as timber:
        timber.vector_ingestion.embedding_service = WordsOnly()
        _write(timber, "fog over the harbour", "bread and salt")
        timber.vector_ingestion.process_pending()
        timber.vector_ingestion.embedding_service = Hashing()

        _search_while_one_is_deleted(timber, pool)


def _search_while_one_is_deleted(timber: Timber, pool: ThreadPoolExecutor) -> None:
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.delete(session.query(note).filter_by(body="bread and salt").one())
        session.flush()

        found = pool.submit(_found, timber, "fog over the harbour", "dense")

        assert found.result(_PATIENCE_SECONDS) == ["fog over the harbour"]


@pytest.mark.parametrize("leg", ["dense", "text"])
def test_what_was_written_last_is_found_at_once_however_much_waits(
    timber: Timber, leg: str
) -> None:
    _write(timber, *(f"{number} of many" for number in range(3 * PENDING_FIRST)), "the last one")

    assert _found(timber, "the last one", leg)[:1] == ["the last one"]


def test_a_search_reads_and_embeds_no_more_than_it_says(
    timber: Timber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "ROWS_FIRST", 2 * ROWS)
    _write(timber, *(f"{number} of many" for number in range(5 * ROWS)))

    _found(timber, "many", "text")

    [status] = timber.vector_ingestion.status()
    assert status.waiting_rows == 3 * ROWS
    assert status.waiting_chunks == 2 * ROWS - PENDING_FIRST


def _write(timber: Timber, *bodies: str) -> None:
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        for body in bodies:
            session.add(note(title="", body=body, topic="x", owner_id="ann"))


def _found(timber: Timber, text: str, leg: str) -> list[str]:
    timber.vector_search.embedding_service = timber.vector_ingestion.embedding_service
    found = timber.vector_search.search(text, "notes", owner="ann", weights={leg: 1})
    return [one["content"] for one in found]


class _Held:
    """Holds a thread back before it commits a vector."""

    def __init__(self) -> None:
        self.is_stored = threading.Event()
        self.go_on = threading.Event()
        self._thread: threading.Thread | None = None

    def run(self, work: Any) -> Any:
        self._thread = threading.current_thread()
        return work()

    def before(self, connection: Connection) -> None:
        if threading.current_thread() is not self._thread:
            return
        stored = connection.exec_driver_sql("SELECT count(*) FROM vector_embeddings").scalar()
        if stored:
            self.is_stored.set()
            assert self.go_on.wait(_PATIENCE_SECONDS)
