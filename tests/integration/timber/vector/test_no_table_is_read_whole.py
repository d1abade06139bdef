"""However many owners and texts there are, no statement on SQLite reads them all."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tests.integration.timber.vector.conftest import settings_of
from tests.integration.timber.vector.hashing import Hashing

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

GROWS = ("vector_chunks", "vector_embeddings", "vector_partitions", "vector_pending", "notes")
IN_ORDER = re.compile(r"ORDER BY [\w.,\s]+ LIMIT")
"""What is read in the order of its key ends with the limit."""


@pytest.fixture
def statements() -> Iterator[set[str]]:
    """Give what the driver is told from now on."""
    told: set[str] = set()

    def listen(connection: Any, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(told.add)

    event.listen(Engine, "connect", listen)
    yield told
    event.remove(Engine, "connect", listen)


def _whole(path: Path, statement: str) -> list[str]:
    """Return which of the tables that grow a statement would read from end to end."""
    with closing(sqlite3.connect(path)) as driver:
        try:
            steps = driver.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        except sqlite3.OperationalError:  # of a transaction, or of a function of the connection
            return []
    read = re.compile(rf"SCAN (?:{'|'.join(GROWS)})\b")
    sorted_within = {within for _, within, _, step in steps if "FOR ORDER BY" in step}
    return [
        step
        for _, within, _, step in steps
        if read.match(step) and (within in sorted_within or not IN_ORDER.search(statement))
    ]


def _live(timber: Timber) -> None:
    timber.vector_ingestion.embedding_service = Hashing()
    timber.vector_search.embedding_service = Hashing()
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.add_all(
            note(id=f"n{number}", body=f"text {number}", owner_id=f"owner {number % 3}")
            for number in range(9)
        )
    timber.vector_search.search("text", "notes", owner="owner 1")
    timber.vector_ingestion.ingest_documents_batch(
        [
            {"content": "one", "source_type": kind, "source_id": "1", "owner": owner}
            for kind in ("letters", "papers")
            for owner in ("ann", "bob")
        ]
    )
    with timber.database.session_scope() as session:
        session.get_one(note, "n1").body = "another text"
    timber.vector_ingestion.process_pending()
    timber.vector_ingestion.delete_document("papers", "1")


def test_what_is_written_and_found_for_an_owner_does_not_read_what_is_of_others(
    tmp_path: Path, statements: set[str]
) -> None:
    path = tmp_path / "notes.db"
    with Timber().opened(settings_of(f"sqlite:///{path}", tmp_path / "models")) as timber:
        statements.clear()
        _live(timber)
        asked = [one for one in statements if any(table in one for table in GROWS)]

        found = {one: whole for one in asked if (whole := _whole(path, one))}

    assert any("vector_partitions" in one for one in asked)
    assert found == {}
