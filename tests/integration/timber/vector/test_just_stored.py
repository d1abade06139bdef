"""What another is just storing is waited for by whose texts are searched."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
from sqlalchemy import Connection, event

from timber.common.runtime import Timber

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
    timber.vector_search.embedding_service = timber.vector_ingestion.embedding_service
    engine, held = timber.database.engine, _Held()
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.add(note(title="", body="fog over the harbour", topic="x", owner_id="ann"))
    event.listen(engine, "commit", held.before)
    try:
        storing: Future[Any] = pool.submit(held.run, timber.vector_ingestion.process_pending)
        assert held.is_stored.wait(_PATIENCE_SECONDS)
        searching = pool.submit(
            timber.vector_search.search,
            *("fog over the harbour", "notes"),
            owner="ann",
            weights={"dense": 1},
        )
        wait([searching], timeout=_LOOKED_FOR_SECONDS)
    finally:
        held.go_on.set()

    assert [one["content"] for one in searching.result()] == ["fog over the harbour"]
    assert storing.result().chunks == 1
    event.remove(engine, "commit", held.before)


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
