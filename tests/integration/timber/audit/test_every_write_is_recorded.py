"""Whatever writes audited rows, and by whatever means, the log says what became of them."""

import contextlib
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

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
from tests.fake_keystore import FakeKeystore
from tests.integration.timber.audit.conftest import settings_of
from tests.integration.timber.audit.replayed import check_log_is_true
from typing_extensions import override

from timber.common.database.session import TimberSession
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

KEYS = st.sampled_from(["a", "b", "c", "d"])
BODIES = st.sampled_from(["", "one", "two words"]) | st.none()
DATA = st.sampled_from([{"a": 1}, [1, "é"], 0]) | st.none()
FOLDERS = st.sampled_from([UUID(int=1), UUID(int=2)]) | st.none()


class Undone(Exception):  # noqa: N818 - no error, but a way out
    """Ends a transaction that is to be undone."""


class Writes(RuleBasedStateMachine):
    """Any writes in any order, some of them undone, some past Timber."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self._stack = contextlib.ExitStack()

    @initialize()
    def open(self) -> None:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        url = self.url or f"sqlite:///{folder / 'notes.db'}"
        keystore = self.keystore
        self.timber = self._stack.enter_context(
            Timber(keystore=keystore).opened(settings_of(url, folder / "models"))
        )
        self.note: Any = self.timber.models.get("Note")
        with self.timber.database.session_scope() as session:
            for table in ("notes", "folders", "users"):
                session.execute(text(f"DELETE FROM {table}"))
            session.execute(text("INSERT INTO users (user_id) VALUES ('ann'), ('bob')"))
            session.add_all(
                self.timber.models.get("Folder")(id=UUID(int=number), user_id=owner)
                for number, owner in ((1, "ann"), (2, "bob"))
            )

    keystore: FakeKeystore

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

    def _values(self, key: str, body: str | None, data: Any, folder: UUID | None) -> Any:
        return {
            "id": key,
            "folder_id": folder,
            "body": body,
            "data": data,
            "price": Decimal("1.50"),
            "seen": None,
        }

    @rule(key=KEYS, body=BODIES, data=DATA, folder=FOLDERS, undo=st.booleans())
    def merge(self, key: str, body: str | None, data: Any, folder: Any, undo: bool) -> None:
        with self._written(undo) as session:
            session.info["include_deleted"] = True
            session.merge(self.note(**self._values(key, body, data, folder), deleted_at=None))

    @rule(key=KEYS, body=BODIES, undo=st.booleans())
    def upsert(self, key: str, body: str | None, undo: bool) -> None:
        with self._written(undo) as session:
            made = self._insert(session).values(self._values(key, body, [2], None))
            session.execute(made.on_conflict_do_update(index_elements=["id"], set_={"body": body}))

    @rule(rows=st.dictionaries(KEYS, BODIES, min_size=1, max_size=4), way=st.integers(0, 3))
    def replace_all(self, rows: dict[str, str | None], way: int) -> None:
        with self._written(undo=False) as session:
            session.execute(delete(self.note.__table__))
            values = [self._values(key, body, None, UUID(int=1)) for key, body in rows.items()]
            match way:
                case 0:
                    session.bulk_save_objects([self.note(**one) for one in values])
                case 1:
                    self.timber.database.bulk_insert(self.note, values, session=session)
                case 2:
                    session.execute(insert(self.note), values)
                case _:
                    session.bulk_insert_mappings(self.note, values)

    @rule(key=KEYS, body=BODIES, way=st.integers(0, 4), undo=st.booleans())
    def change(self, key: str, body: str | None, way: int, undo: bool) -> None:
        table = self.note.__table__
        with self._written(undo) as session:
            match way:
                case 0:
                    row = session.get(self.note, key)
                    if row is not None:
                        row.body = body
                case 1:
                    session.execute(update(table).where(table.c.id == key).values(data={"b": 2}))
                case 2:
                    session.execute(
                        text("UPDATE notes SET body = :body, seen = 1 WHERE id = :key"),
                        {"body": body, "key": key},
                    )
                case 3:
                    session.execute(update(self.note).values(seen=7, body=body))
                case _:
                    session.execute(update(self.note).values(price=Decimal("2.75"), seen=8))

    @rule(key=KEYS, other=KEYS, undo=st.booleans())
    def rename(self, key: str, other: str, undo: bool) -> None:
        with self._written(undo) as session:
            taken = session.scalar(text("SELECT count(*) FROM notes WHERE id = :o"), {"o": other})
            if not taken:
                both = {"key": key, "other": other}
                session.execute(text("UPDATE notes SET id = :other WHERE id = :key"), both)

    @rule(key=KEYS, way=st.integers(0, 2), undo=st.booleans())
    def remove(self, key: str, way: int, undo: bool) -> None:
        table = self.note.__table__
        with self._written(undo) as session:
            row = session.get(self.note, key)
            match way:
                case 0 if row is not None:
                    session.delete(row)
                case 1 if row is not None:
                    session.hard_delete(row)
                case _:
                    session.execute(delete(table).where(table.c.id == key))

    @rule(folder=st.sampled_from([1, 2]), undo=st.booleans())
    def remove_with_its_folder(self, folder: int, undo: bool) -> None:
        model: Any = self.timber.models.get("Folder")
        with self._written(undo) as session:
            session.execute(delete(model.__table__).where(model.id == UUID(int=folder)))
            session.add(model(id=UUID(int=folder), user_id="bob"))

    @rule(key=KEYS, body=BODIES)
    def undo_a_savepoint(self, key: str, body: str | None) -> None:
        table = self.note.__table__
        with self.timber.database.session_scope() as session:
            session.execute(update(table).where(table.c.id == key).values(body="kept"))
            with contextlib.suppress(Undone), session.begin_nested():
                session.execute(update(table).where(table.c.id == key).values(body=body))
                session.execute(delete(table).where(table.c.id != key))
                raise Undone

    @rule(key=KEYS, body=BODIES)
    def write_past_timber(self, key: str, body: str | None) -> None:
        connection: Any = self.timber.database.engine.raw_connection()
        try:
            cursor = connection.cursor()
            mark = "?" if self.timber.database.engine.dialect.name == "sqlite" else "%s"
            cursor.execute(f"UPDATE notes SET body = {mark} WHERE id = {mark}", (body, key))
            cursor.execute(f"DELETE FROM notes WHERE id <> {mark} AND seen = 7", (key,))
            connection.commit()
        finally:
            connection.close()
        self.timber.audit.collect()

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

    @precondition(lambda self: self.timber.database.engine.dialect.name == "postgresql")
    @rule(body=BODIES, level=st.sampled_from(["REPEATABLE READ", "SERIALIZABLE"]))
    def change_in_isolation(self, body: str | None, level: Any) -> None:
        self.timber.database.run_sync(
            lambda session: session.execute(update(self.note).values(body=body)), isolation=level
        )

    @invariant()
    def the_log_is_true(self) -> None:
        if hasattr(self, "timber"):
            check_log_is_true(self.timber)

    def _insert(self, session: TimberSession) -> Any:
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        return dialect.insert(self.note.__table__)


def _run(url: str, examples: int) -> None:
    machine: type[Writes] = type("WritesHere", (Writes,), {"url": url, "keystore": FakeKeystore()})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_on_sqlite_the_log_is_true() -> None:
    _run("", examples=8)


def test_on_postgresql_the_log_is_true(postgresql_url: str) -> None:
    _run(postgresql_url, examples=5)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_on_sqlite_the_log_is_true_for_long() -> None:
    _run("", examples=200)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_on_postgresql_the_log_is_true_for_long(postgresql_url: str) -> None:
    _run(postgresql_url, examples=100)
