"""Killed before any statement or commit, rows, texts, words and vectors agree when it goes on."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from tests.forks import Forks
from tests.integration.timber.vector.conftest import settings_of
from tests.integration.timber.vector.hashing import Hashing
from tests.integration.timber.vector.stored import check_vectors, count, stored_documents

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[4]


class Killed(BaseException):
    """Ends a process, as far as a test can."""


@contextlib.contextmanager
def dying(timber: Timber, at: int) -> Iterator[None]:
    """Die before the n-th statement or commit from now on."""
    left = at

    def count_down(connection: Connection, *_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            # What the server does when a client is gone; SQLAlchemy is too far for it by now.
            connection.connection.rollback()
            raise Killed

    engine = timber.database.engine
    for moment in ("before_cursor_execute", "commit"):
        event.listen(engine, moment, count_down)
    try:
        yield
    finally:
        for moment in ("before_cursor_execute", "commit"):
            event.remove(engine, moment, count_down)


def write_and_work(timber: Timber) -> None:
    """Write notes in several ways, and have each found."""
    ingestion = timber.vector_ingestion
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.add_all(note(id=one, body=f"note {one}. " * 150) for one in "123")
    ingestion.process_pending()
    with timber.database.engine.begin() as connection:
        connection.execute(text("UPDATE notes SET body = 'another' WHERE id = '1'"))
        connection.execute(text("UPDATE notes SET topic = 'new' WHERE id = '3'"))
        connection.execute(text("DELETE FROM notes WHERE id = '2'"))
    ingestion.process_pending()
    ingestion.ingest_document("a document. " * 150, "documents", "one", owner="ann")
    ingestion.ingest_document("written anew", "documents", "one", owner="bob")


def check_all_is_one(timber: Timber, embedder: Hashing) -> None:
    """Demand that nothing is half there, and that going on brings all of it there."""
    with timber.database.engine.connect() as connection:
        rows = connection.execute(text("SELECT id, body FROM notes"))
        truth = {row.id: row.body for row in rows}
    for (source_type, source_id), found in stored_documents(timber).items():
        if source_type == "notes":
            assert found.content == truth[source_id]
        else:
            assert (found.content, found.owner) in {
                ("a document. " * 150, "ann"),
                ("written anew", "bob"),
            }
    check_vectors(timber, embedder, waiting=True)
    with timber.database.engine.begin() as connection:
        # As if the time had passed for which the dead had claimed them.
        connection.execute(text("UPDATE vector_pending SET claimed_until = NULL"))
    timber.vector_ingestion.process_pending()
    notes = {
        key: one.content for (of, key), one in stored_documents(timber).items() if of == "notes"
    }
    assert notes == truth
    check_vectors(timber, embedder)


@pytest.fixture
def file_or_server(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return f"sqlite:///{tmp_path}/notes.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.mark.parametrize("file_or_server", ["file", "postgresql"], indirect=True)
def test_dying_before_any_statement_leaves_nothing_half_done(
    file_or_server: str, tmp_path: Path
) -> None:
    with Timber().opened(settings_of(file_or_server, tmp_path / "models")) as timber:
        embedder = timber.vector_ingestion.embedding_service = Hashing()
        at, died = 0, True
        while died:
            with timber.database.engine.begin() as connection:
                connection.execute(text("DELETE FROM notes"))
                connection.execute(text("DELETE FROM vector_chunks"))
                connection.execute(text("DELETE FROM vector_outbox"))
            try:
                with dying(timber, at):
                    write_and_work(timber)
                died = False
            except Killed:
                check_all_is_one(timber, embedder)
            at += 1 if file_or_server.startswith("sqlite") else 5

        assert at > 40  # so many places there were to die at
        check_all_is_one(timber, embedder)


@pytest.mark.parametrize("at", [4, 12, 31, 55, 64])
def test_a_process_killed_for_real_leaves_nothing_half_done(
    at: int, tmp_path: Path, forks: Forks
) -> None:
    url, folder = f"sqlite:///{tmp_path}/notes.db", tmp_path / "models"

    ended = forks.run_module("tests.integration.timber.vector.doomed", url, folder, at)

    assert ended.returncode == -9, ended.stderr
    with Timber().opened(settings_of(url, folder)) as timber:
        embedder = timber.vector_ingestion.embedding_service = Hashing()
        with timber.database.engine.begin() as connection:
            connection.execute(text("UPDATE vector_pending SET claimed_until = NULL"))
        timber.vector_ingestion.process_pending()
        check_vectors(timber, embedder)
        notes = {key for of, key in stored_documents(timber) if of == "notes"}
        with timber.database.engine.connect() as connection:
            assert notes == set(connection.scalars(text("SELECT id FROM notes")))
        assert count(timber, "vector_outbox") == 0
