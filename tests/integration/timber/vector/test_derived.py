"""What can be made again is committed without a wait for the disk, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from tests.integration.timber.vector.conftest import settings_of
from tests.integration.timber.vector.hashing import Hashing

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

_STATE = "SELECT pg_current_xact_id_if_assigned(), current_setting('synchronous_commit')"


@pytest.fixture
def timber(postgresql_url: str, tmp_path: Path) -> Iterator[Timber]:
    with Timber().opened(settings_of(postgresql_url, tmp_path / "models")) as timber:
        timber.vector_ingestion.embedding_service = Hashing()
        yield timber


@pytest.fixture
def commits(timber: Timber) -> list[str]:
    """Return, as it goes on, whether each transaction that has written waited for the disk."""
    engine, found = timber.database.engine, list[str]()
    with engine.begin() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        # The server of the tests waits for no disk at all.
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = on")
    engine.dispose()

    def note(connection: Connection) -> None:
        (has_written, waits) = connection.exec_driver_sql(_STATE).one()
        found.extend([waits] if has_written else [])

    event.listen(engine, "commit", note)
    return found


def test_a_row_waits_for_the_disk_and_what_it_is_found_by_does_not(
    timber: Timber, commits: list[str]
) -> None:
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.add(note(title="", body="fog over the harbour", topic="x", owner_id="ann"))
    assert commits == ["on"]

    timber.vector_ingestion.process_pending("notes", owner="ann")

    assert commits[1:] == ["off"] * (len(commits) - 1)
    assert len(commits) >= 3  # its words, and its vector
    [status] = timber.vector_ingestion.status()
    assert (status.chunks, status.waiting_rows, status.waiting_chunks) == (1, 0, 0)


def test_a_document_that_is_taken_in_waits_for_the_disk(
    timber: Timber, commits: list[str]
) -> None:
    timber.vector_ingestion.ingest_document("bread and salt", "news", "1")

    assert commits
    assert {*commits} == {"on"}
