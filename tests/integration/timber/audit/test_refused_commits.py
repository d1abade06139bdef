"""What cannot be recorded is not written, by nobody, and all goes on as before."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text

from timber.common.audit.marks import Marks
from timber.common.errors import KeystoreError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


@pytest.fixture
def keys_are_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Have the keystore fail whenever an entry is made, until that is undone."""

    def fail(_marks: Marks, _subjects: Any) -> None:
        raise KeystoreError("the keystore is away")

    with monkeypatch.context() as patch:
        patch.setattr(Marks, "prepare", fail)
        yield patch


def write_in_scope(timber: Timber, note: Any) -> None:
    with timber.database.session_scope() as session:
        session.add(note)


def write_in_work(timber: Timber, note: Any) -> None:
    timber.database.run_sync(lambda session: session.add(note))


def write_in_engine(timber: Timber, note: Any) -> None:
    with timber.database.engine.begin() as connection:
        connection.execute(text("INSERT INTO notes (id) VALUES (:id)"), {"id": note.id})


WAYS = (write_in_scope, write_in_work, write_in_engine)


def stored(timber: Timber) -> list[str]:
    """Return what another connection sees."""
    with timber.database.engine.connect() as one, timber.database.engine.connect() as other:
        seen = [
            list(connection.scalars(text("SELECT id FROM notes ORDER BY id")))
            for connection in (one, other)
        ]
    assert seen[0] == seen[1]
    return seen[0]


@pytest.mark.parametrize("write", WAYS)
def test_a_commit_that_is_refused_is_not_committed_by_the_next_user(
    timber: Timber, keys_are_away: pytest.MonkeyPatch, write: Any
) -> None:
    note: Any = timber.models.get("Note")
    with pytest.raises(KeystoreError):
        write(timber, note(id="refused"))
    assert stored(timber) == []
    assert "idle in transaction" not in states(timber)
    keys_are_away.undo()

    write(timber, note(id="next"))

    assert stored(timber) == ["next"]
    assert [one.key for one in timber.audit.log(table="notes")] == [("next",)]
    assert timber.audit.verify().is_intact


def test_a_session_goes_on_after_a_refused_commit(
    timber: Timber, keys_are_away: pytest.MonkeyPatch
) -> None:
    note: Any = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.add(note(id="refused"))
        with pytest.raises(KeystoreError):
            session.commit()
        session.rollback()
        keys_are_away.undo()
        assert session.scalars(select(note.id)).all() == []
        session.add(note(id="next"))

    assert stored(timber) == ["next"]
    assert timber.audit.verify().is_intact


def test_a_transaction_that_is_prepared_is_not_when_it_cannot_be_recorded(
    postgresql_timber: Timber, keys_are_away: pytest.MonkeyPatch
) -> None:
    engine = postgresql_timber.database.engine
    with engine.connect() as connection:
        transaction = connection.begin_twophase()
        connection.execute(text("INSERT INTO notes (id) VALUES ('refused')"))
        with pytest.raises(KeystoreError):
            transaction.prepare()
    keys_are_away.undo()

    write_in_scope(postgresql_timber, postgresql_timber.models.get("Note")(id="next"))

    assert stored(postgresql_timber) == ["next"]


def states(timber: Timber) -> set[str]:
    """Return what PostgreSQL says of its connections; nothing where there are none."""
    if timber.database.engine.dialect.name == "sqlite":
        with timber.database.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # else it would wait, and fail
        return set()
    with timber.database.engine.connect() as connection:
        own = "SELECT state FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state <> ''"
        statement = f"{own} AND datname = current_database()"
        return set(connection.scalars(text(statement)))
