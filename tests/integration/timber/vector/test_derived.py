"""What can be made again is committed without a wait for the disk, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from tests.integration.timber.vector.conftest import settings_of
from tests.integration.timber.vector.hashing import Hashing

from timber.common.database.sqlite_transactions import writes
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

_STATES = {
    "postgresql": (
        "SELECT pg_current_xact_id_if_assigned() IS NOT NULL,"
        " current_setting('synchronous_commit') = 'on'"
    ),
    # 1: NORMAL, 2: FULL
    "sqlite": "SELECT 1, synchronous > 1 FROM pragma_synchronous",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def timber(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Timber]:
    is_file = request.param == "sqlite"
    url = (
        f"sqlite:///{tmp_path / 'a.db'}" if is_file else request.getfixturevalue("postgresql_url")
    )
    settings = settings_of(url, tmp_path / "models")
    lasting = settings.model_copy(update={"sqlite_synchronous": "FULL"})
    with Timber().opened(lasting) as timber:
        timber.vector_ingestion.embedding_service = Hashing()
        yield timber


@pytest.fixture
def commits(timber: Timber) -> list[bool]:
    """Return, as it goes on, whether each transaction that has written waited for the disk."""
    engine, found = timber.database.engine, list[bool]()
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            name = connection.exec_driver_sql("SELECT current_database()").scalar()
            # The server of the tests waits for no disk at all.
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = on")
        engine.dispose()

    def note(connection: Connection) -> None:
        if engine.dialect.name == "sqlite" and not writes(connection):
            return
        has_written, waits = connection.exec_driver_sql(_STATES[engine.dialect.name]).one()
        found.extend([bool(waits)] if has_written else [])

    event.listen(engine, "commit", note)
    return found


def test_a_row_waits_for_the_disk_and_what_it_is_found_by_does_not(
    timber: Timber, commits: list[bool]
) -> None:
    for place, body in enumerate(("fog over the harbour", "bread and salt")):
        _write(timber, body)
        assert commits == [True]

        timber.vector_ingestion.process_pending("notes", owner="ann")

        assert commits[1:] == [False] * (len(commits) - 1)
        assert len(commits) >= 3  # its words, and its vector
        [status] = timber.vector_ingestion.status()
        assert (status.chunks, status.waiting_rows, status.waiting_chunks) == (place + 1, 0, 0)
        commits.clear()


def test_what_the_thread_of_the_timber_does_waits_for_no_disk_either(
    timber: Timber, commits: list[bool]
) -> None:
    _write(timber, "fog over the harbour")
    while timber.vector_ingestion.process_some():
        pass

    assert commits == [True, *[False] * (len(commits) - 1)]
    assert len(commits) >= 3


def test_a_document_that_is_taken_in_waits_for_the_disk(
    timber: Timber, commits: list[bool]
) -> None:
    _write(timber, "fog over the harbour")
    timber.vector_ingestion.process_pending("notes")
    commits.clear()

    timber.vector_ingestion.ingest_document("bread and salt", "news", "1")

    assert commits
    assert {*commits} == {True}


def _write(timber: Timber, body: str) -> None:
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.add(note(title="", body=body, topic="x", owner_id="ann"))
