"""Whatever writes the rows of a model, and by whatever means, what is found is what they say."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, insert, text, update
from sqlalchemy.dialects import postgresql, sqlite
from tests.integration.timber.vector.conftest import settings_of
from tests.integration.timber.vector.hashing import Hashing
from tests.integration.timber.vector.stored import Stored, check_vectors, stored_documents
from typing_extensions import override

from timber.common.database.session import TimberSession
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

KEYS = st.sampled_from(["a", "b", "c", "d"])
BODIES = st.sampled_from(["", " ", "one", "two words", "a long text. " * 100]) | st.none()
OWNERS = st.sampled_from(["ann", "bob"]) | st.none()
TOPICS = st.sampled_from(["x", "y"]) | st.none()


class Undone(Exception):  # noqa: N818 - no error, but a way out
    """Ends a transaction that is to be undone."""


class Writes(RuleBasedStateMachine):
    """Any writes in any order, some of them undone, and now and then the work is done."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self._stack = contextlib.ExitStack()

    @initialize()
    def open(self) -> None:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        url = self.url or f"sqlite:///{folder / 'notes.db'}"
        self.timber = self._stack.enter_context(
            Timber().opened(settings_of(url, folder / "models"))
        )
        self.embedder = self.timber.vector_ingestion.embedding_service = Hashing()
        self.note: Any = self.timber.models.get("Note")
        with self.timber.database.session_scope() as session:
            session.execute(text("DELETE FROM notes"))
            for table in ("vector_chunks", "vector_outbox", "vector_sources"):
                session.execute(text(f"DELETE FROM {table}"))

    @override
    def teardown(self) -> None:
        self._stack.close()

    @contextlib.contextmanager
    def _written(self, undo: bool) -> Iterator[TimberSession]:
        with contextlib.suppress(Undone), self.timber.database.session_scope() as session:
            yield session
            session.flush()
            if undo:
                raise Undone

    def _values(self, key: str, body: str | None, owner: str | None, topic: str | None) -> Any:
        return {"id": key, "title": None, "body": body, "owner_id": owner, "topic": topic}

    @rule(key=KEYS, body=BODIES, owner=OWNERS, topic=TOPICS, undo=st.booleans())
    def merge(
        self, key: str, body: str | None, owner: str | None, topic: str | None, undo: bool
    ) -> None:
        with self._written(undo) as session:
            session.info["include_deleted"] = True
            session.merge(self.note(**self._values(key, body, owner, topic), deleted_at=None))

    @rule(key=KEYS, body=BODIES, owner=OWNERS, undo=st.booleans())
    def upsert(self, key: str, body: str | None, owner: str | None, undo: bool) -> None:
        with self._written(undo) as session:
            made = self._insert(session).values(self._values(key, body, owner, None))
            session.execute(
                made.on_conflict_do_update(
                    index_elements=["id"], set_={"body": body, "owner_id": owner}
                )
            )

    @rule(rows=st.dictionaries(KEYS, BODIES, max_size=3), undo=st.booleans())
    def insert_those_missing(self, rows: dict[str, str | None], undo: bool) -> None:
        with self._written(undo) as session:
            if rows:
                values = [self._values(key, body, None, "x") for key, body in rows.items()]
                session.execute(self._insert(session).on_conflict_do_nothing(), values)

    @rule(rows=st.dictionaries(KEYS, BODIES, min_size=1, max_size=4), way=st.integers(0, 3))
    def replace_all(self, rows: dict[str, str | None], way: int) -> None:
        """Delete every row, and bring others in by one of the ways for many."""
        with self._written(undo=False) as session:
            session.execute(delete(self.note.__table__))
            values = [self._values(key, body, "ann", "y") for key, body in rows.items()]
            match way:
                case 0:
                    session.bulk_save_objects([self.note(**one) for one in values])
                case 1:
                    self.timber.database.bulk_insert(self.note, values, session=session)
                case 2:
                    session.execute(insert(self.note), values)
                case _:
                    session.bulk_insert_mappings(self.note, values)

    @rule(key=KEYS, body=BODIES, topic=TOPICS, way=st.integers(0, 3), undo=st.booleans())
    def change(self, key: str, body: str | None, topic: str | None, way: int, undo: bool) -> None:
        table = self.note.__table__
        with self._written(undo) as session:
            match way:
                case 0:
                    row = session.get(self.note, key)
                    if row is not None:
                        row.body = body
                case 1:
                    session.execute(update(table).where(table.c.id == key).values(topic=topic))
                case 2:
                    session.execute(
                        text("UPDATE notes SET body = :body, title = 'told' WHERE id = :key"),
                        {"body": body, "key": key},
                    )
                case _:
                    session.execute(update(self.note).values(noticed=1, body=body))

    @rule(key=KEYS, other=KEYS, undo=st.booleans())
    def rename(self, key: str, other: str, undo: bool) -> None:
        with self._written(undo) as session:
            taken = session.scalar(text("SELECT count(*) FROM notes WHERE id = :o"), {"o": other})
            if not taken:
                both = {"key": key, "other": other}
                session.execute(text("UPDATE notes SET id = :other WHERE id = :key"), both)

    @rule(key=KEYS, way=st.integers(0, 3), undo=st.booleans())
    def remove(self, key: str, way: int, undo: bool) -> None:
        table = self.note.__table__
        with self._written(undo) as session:
            row = session.get(self.note, key)
            match way:
                case 0 if row is not None:
                    session.delete(row)
                case 1 if row is not None:
                    session.hard_delete(row)
                case 2:
                    session.execute(delete(table).where(table.c.id == key))
                case _:
                    session.execute(delete(self.note).where(self.note.id == key))

    @rule(key=KEYS)
    def restore(self, key: str) -> None:
        with self.timber.database.session_scope() as session:
            row = session.get(self.note, key, execution_options={"include_deleted": True})
            if row is not None:
                session.restore(row)

    @rule(key=KEYS, body=BODIES)
    def undo_a_savepoint(self, key: str, body: str | None) -> None:
        table = self.note.__table__
        with self.timber.database.session_scope() as session:
            session.execute(update(table).where(table.c.id == key).values(topic="y"))
            with contextlib.suppress(Undone), session.begin_nested():
                session.execute(update(table).where(table.c.id == key).values(body=body))
                session.execute(delete(table).where(table.c.id != key))
                raise Undone

    @precondition(lambda self: self.timber.database.engine.dialect.name == "sqlite")
    @rule(key=KEYS, body=BODIES)
    def replace_into(self, key: str, body: str | None) -> None:
        statement = "INSERT OR REPLACE INTO notes (id, body) VALUES (:key, :body)"
        with self.timber.database.engine.begin() as connection:
            connection.execute(text(statement), {"key": key, "body": body})

    @precondition(lambda self: self.timber.database.engine.dialect.name == "postgresql")
    @rule()
    def truncate(self) -> None:
        with self.timber.database.engine.begin() as connection:
            connection.execute(text("TRUNCATE notes"))

    @rule()
    def backfill(self) -> None:
        self.timber.vector_ingestion.backfill()

    @rule()
    def process(self) -> None:
        self.timber.vector_ingestion.process_pending()

        assert stored_documents(self.timber) == self._truth()
        check_vectors(self.timber, self.embedder)

    @invariant()
    def nothing_is_found_that_no_row_says(self) -> None:
        if not hasattr(self, "timber"):
            return
        truth = self._truth()

        for key, document in stored_documents(self.timber).items():
            assert key in truth
            assert (document.content, document.owner) == (truth[key].content, truth[key].owner)
        check_vectors(self.timber, self.embedder, waiting=True)

    def _insert(self, session: TimberSession) -> Any:
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        return dialect.insert(self.note.__table__)

    def _truth(self) -> dict[tuple[str, str], Stored]:
        statement = text("SELECT * FROM notes WHERE deleted_at IS NULL")
        with self.timber.database.engine.connect() as connection:
            rows = connection.execute(statement).mappings().all()
        return {
            ("notes", row["id"]): Stored(
                content, (("topic", row["topic"]),), row["owner_id"] or ""
            )
            for row in rows
            if (content := _content(row["title"], row["body"]))
        }


def _content(*texts: str | None) -> str:
    return "\n\n".join(one for one in texts if one and not one.isspace())


def _run(url: str, examples: int) -> None:
    machine: type[Writes] = type("WritesHere", (Writes,), {"url": url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_on_sqlite_what_is_found_is_what_rows_say() -> None:
    _run("", examples=8)


def test_on_postgresql_what_is_found_is_what_rows_say(postgresql_url: str) -> None:
    _run(postgresql_url, examples=6)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_on_sqlite_what_is_found_is_what_rows_say_for_long() -> None:
    _run("", examples=300)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_on_postgresql_what_is_found_is_what_rows_say_for_long(postgresql_url: str) -> None:
    _run(postgresql_url, examples=200)
