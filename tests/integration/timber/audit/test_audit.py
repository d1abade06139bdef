"""What the audit log promises, on each kind of database."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from tests.fake_keystore import FakeKeystore
from tests.integration.timber.audit.conftest import settings_of
from tests.integration.timber.audit.replayed import check_log_is_true
from tests.integration.timber.conftest import undone

from timber.common.audit import acting
from timber.common.audit.history import Recorded
from timber.common.audit.tables import LOG, PENDING
from timber.common.encryption.base import subject_of
from timber.common.errors import (
    AuditError,
    DatabaseError,
    NotOpenError,
    SchemaMismatchError,
)
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration

MARKER = "canary-9f3c7e"


def note(timber: Timber, key: str, **values: Any) -> Any:
    return timber.models.get("Note")(id=key, **values)


def store(timber: Timber, *rows: object) -> None:
    with timber.database.session_scope() as session:
        session.add_all(rows)


def entries(timber: Timber, **wanted: Any) -> list[Recorded]:
    """Return what was recorded, the oldest first."""
    return list(reversed(list(timber.audit.log(**wanted))))


def in_database(timber: Timber, table: Any) -> str:
    with timber.database.engine.connect() as connection:
        return repr(connection.execute(select(table)).all())


def test_an_entry_says_who_did_what_to_which_row_and_why(timber: Timber) -> None:
    with acting("staff-7", reason="T-1"):
        store(timber, note(timber, "a", body="one"))
    with timber.database.session_scope() as session:
        changed_row: Any = session.get(timber.models.get("Note"), "a")
        changed_row.body = "two"

    made, changed = entries(timber, table="notes")

    assert (made.actor, made.reason, made.operation, made.key) == (
        "staff-7",
        "T-1",
        "insert",
        ("a",),
    )
    assert (changed.actor, changed.operation, changed.columns) == ("timber", "update", ("body",))
    assert timber.audit.confirms(changed, "body", "two")
    assert not timber.audit.confirms(changed, "body", "one")


def test_a_change_of_other_columns_is_not_recorded(timber: Timber) -> None:
    store(timber, note(timber, "a", seen=1))
    with timber.database.session_scope() as session:
        row: Any = session.get(timber.models.get("Note"), "a")
        row.seen = 2

    assert [one.operation for one in entries(timber)] == ["insert"]


def test_several_actors_of_one_transaction_are_told_apart(timber: Timber) -> None:
    with timber.database.session_scope() as session:
        for number, actor in enumerate(("ann", "bob", "ann")):
            with acting(actor):
                session.add(note(timber, str(number)))
                session.flush()

    assert [one.actor for one in entries(timber)] == ["ann", "bob", "ann"]


def test_no_value_ever_stays_in_the_log(timber: Timber) -> None:
    store(timber, note(timber, "a", body=MARKER))
    with timber.database.session_scope() as session:
        session.execute(text("UPDATE notes SET body = :to"), {"to": f"{MARKER}-2"})
    timber.database.bulk_insert(timber.models.get("Note"), [{"id": "b", "body": MARKER}])

    assert MARKER not in in_database(timber, LOG)
    assert in_database(timber, PENDING) == "[]"


def test_what_is_rolled_back_leaves_nothing(timber: Timber) -> None:
    with pytest.raises(RuntimeError):
        undone(timber, lambda session: session.add(note(timber, "a")))

    assert entries(timber) == []
    assert in_database(timber, PENDING) == "[]"


def test_what_others_write_is_marked_as_from_outside(timber: Timber) -> None:
    store(timber, note(timber, "a"))
    connection: Any = timber.database.engine.raw_connection()
    connection.cursor().execute("UPDATE notes SET body = 'theirs'")
    connection.commit()
    connection.close()

    *_, last = entries(timber)

    assert last.is_outside
    assert last.actor != "timber"
    assert timber.audit.confirms(last, "body", "theirs")
    assert timber.audit.verify().outside == 1


def test_writes_in_autocommit_are_recorded(timber: Timber) -> None:
    with timber.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("INSERT INTO notes (id, body) VALUES ('a', 'one')"))
    check_log_is_true(timber)

    assert [one.operation for one in entries(timber)] == ["insert"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM timber_audit_log",
        "UPDATE timber_audit_log SET details = '{}'",
        "UPDATE timber_audit_log SET actor = 'somebody else'",
    ],
)
def test_the_log_cannot_be_changed_in_passing(timber: Timber, statement: str) -> None:
    store(timber, note(timber, "a"))

    with pytest.raises(DatabaseError), timber.database.session_scope() as session:
        session.execute(text(statement))

    assert timber.audit.verify().is_intact


def test_loads_are_recorded_even_if_nothing_is_committed(timber: Timber) -> None:
    user: Any = timber.models.get("User")
    store(timber, user(user_id="ann", email="a@example.org"))
    with acting("staff-7"):
        with pytest.raises(RuntimeError):
            undone(timber, lambda session: session.get(user, "ann"))
        with timber.database.stream(select(user)) as rows:
            assert len(list(rows)) == 1
        timber.database.get(user, "ann")
        with timber.database.session_scope() as session:
            session.execute(select(user.email)).all()

    reads = entries(timber, operation="read")

    assert [one.key for one in reads] == [("ann",)] * 3 + [None]
    assert {one.actor for one in reads} == {"staff-7"}
    assert reads[0].columns == ("user_id", "email")
    assert reads[-1].columns == ("email",)
    assert timber.audit.verify().is_intact


def test_reads_while_writing_wait_for_nobody(timber: Timber) -> None:
    user: Any = timber.models.get("User")
    store(timber, *(user(user_id=str(number)) for number in range(50)))
    with timber.database.session_scope() as session:
        session.add(note(timber, "a"))
        session.flush()
        assert len(session.scalars(select(user)).all()) == 50

    assert len(entries(timber, operation="read")) == 50


def test_erasing_a_subject_takes_the_meaning_of_its_entries_and_leaves_the_chain(
    timber: Timber, keystore: FakeKeystore
) -> None:
    user, folder = timber.models.get("User"), timber.models.get("Folder")
    with acting("ann", subject=subject_of("users", "ann")):
        store(timber, user(user_id="ann", email=MARKER), user(user_id="bob"))
        store(timber, folder(id=UUID(int=1), user_id="ann"))
        store(timber, note(timber, "a", body=MARKER, folder_id=UUID(int=1)))
    before = entries(timber, table="notes")

    keystore.erase(subject_of("users", "ann"))
    forgotten = timber.audit.forget(subject_of("users", "ann"))
    with timber.database.session_scope() as session:
        session.execute(text("DELETE FROM notes"))
    timber.audit.forget(subject_of("users", "ann"))

    assert forgotten == 2
    after = entries(timber, table="notes")
    assert [one.operation for one in after] == ["insert", "delete"]
    assert [one.key for one in after] == [None, None]
    assert {one.actor for one in entries(timber)} == {None, "timber"}
    assert not timber.audit.confirms(before[0], "body", MARKER)
    assert [one.key for one in entries(timber, table="users")] == [None, ("bob",)]
    assert timber.audit.verify().is_intact
    assert "'ann'" not in in_database(timber, LOG)


def test_a_link_that_is_gone_is_looked_up_in_the_log(
    timber: Timber, keystore: FakeKeystore
) -> None:
    user, folder = timber.models.get("User"), timber.models.get("Folder")
    store(timber, user(user_id="ann"))
    store(timber, folder(id=UUID(int=1), user_id="ann"))
    store(timber, note(timber, "a", folder_id=UUID(int=1)))
    with timber.database.session_scope() as session:
        session.execute(text("DELETE FROM folders"))  # and the note with it

    keystore.erase(subject_of("users", "ann"))
    timber.audit.forget(subject_of("users", "ann"))

    assert [one.key for one in entries(timber, table="notes")] == [None, None]


def test_many_threads_lose_nothing_and_leave_no_gap(timber: Timber) -> None:
    threads, each = 8, 15

    def work(number: int) -> None:
        for step in range(each):
            timber.database.run_sync(
                lambda session, step=step: session.add(note(timber, f"{number}-{step}"))  # type: ignore[misc]
            )

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()

    found = timber.audit.verify()
    assert found.is_intact
    assert found.entries == threads * each
    assert sum(head.position for head in found.heads.values()) == threads * each
    check_log_is_true(timber)


def test_pages_of_the_log_follow_each_other(timber: Timber) -> None:
    rows = [{"id": f"{number:05}"} for number in range(1_203)]
    timber.database.bulk_insert(timber.models.get("Note"), rows)

    keys = [one.key for one in timber.audit.log()]

    assert len(keys) == len(set(keys)) == 1_203
    assert len(list(timber.audit.log(limit=700))) == 700
    assert len(list(timber.audit.log(key=["00007"]))) == 1
    assert list(timber.audit.log(since=datetime(2200, 1, 1, tzinfo=UTC))) == []


def test_a_table_without_its_triggers_is_told_and_not_written(
    timber: Timber, keystore: FakeKeystore, tmp_path: Path
) -> None:
    store(timber, note(timber, "a"))
    with timber.database.engine.begin() as connection:
        for name, table in _triggers(timber):
            on = "" if connection.dialect.name == "sqlite" else f" ON {table}"
            connection.execute(text(f"DROP TRIGGER {name}{on}"))

    found = timber.audit.verify()

    assert sorted(one.what.split()[0] for one in found.problems) == ["notes", "users"]
    url = timber.database.engine.url.render_as_string(hide_password=False)
    if "memdb" in url:
        return
    settings = settings_of(url, tmp_path / "models", create_tables=False)
    with Timber(keystore=keystore).opened(settings) as lacking:
        with pytest.raises(SchemaMismatchError, match="lacks the triggers"):
            store(lacking, note(lacking, "b"))
        with pytest.raises(SchemaMismatchError, match="lacks the triggers"):
            lacking.database.bulk_insert(lacking.models.get("Note"), [{"id": "c"}])
        assert not lacking.audit.verify().is_intact


def _triggers(timber: Timber) -> Iterator[tuple[str, str]]:
    from timber.common.audit.triggers import present  # noqa: PLC0415 - only here

    with timber.database.engine.connect() as connection:
        yield from present(connection).items()


def test_a_timber_that_audits_nothing_has_no_log(tmp_path: Path) -> None:
    with Timber().opened(TimberSettings(database_url="sqlite://")) as timber:
        with pytest.raises(NotOpenError):
            timber.audit.verify()
        with timber.database.engine.connect() as connection:
            names = connection.scalars(text("SELECT name FROM sqlite_master")).all()

    assert not [name for name in names if "audit" in name]


def test_an_anchor_of_another_key_is_refused(timber: Timber, tmp_path: Path) -> None:
    store(timber, note(timber, "a"))
    file = tmp_path / "anchor.json"
    file.write_text(timber.audit.anchor().replace('"position": 1', '"position": 9'))

    with pytest.raises(AuditError, match="was changed"):
        timber.audit.verify(anchor=file)
    file.write_text("{}")
    with pytest.raises(AuditError, match="no anchor"):
        timber.audit.verify(anchor=file)
    with pytest.raises(AuditError, match="cannot be read"):
        timber.audit.verify(anchor=tmp_path / "nowhere")
