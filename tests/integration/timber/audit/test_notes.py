"""What triggers have noted cannot be changed, nor be taken away unseen."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from timber.common.audit.numbers import Notes
from timber.common.errors import DatabaseError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

INSERT = "INSERT INTO users (user_id) VALUES ('ann')"


def test_notes_cannot_be_changed(timber: Timber) -> None:
    with timber.database.engine.connect() as connection:
        connection.execute(text(INSERT))
        with pytest.raises(DatabaseError, match=r"cannot be changed|InsufficientPrivilege"):
            connection.execute(text("UPDATE timber_audit_pending SET writer = 'bob'"))

    assert list(timber.audit.log()) == []


@pytest.mark.parametrize("database_url", ["file", "memory"], indirect=True)
def test_notes_that_were_taken_away_are_told(timber: Timber) -> None:
    with timber.database.engine.begin() as connection:
        connection.execute(text(INSERT))
    assert timber.audit.verify().is_intact

    with timber.database.engine.begin() as connection:
        connection.execute(text("UPDATE users SET email = 'stolen'"))
        connection.execute(text("DELETE FROM timber_audit_pending"))

    [problem] = timber.audit.verify().problems
    assert problem.what.startswith("1 notes of what was written were taken away")


def test_on_postgresql_notes_cannot_be_taken_away_before_they_are_chained(
    postgresql_timber: Timber,
) -> None:
    foreign = create_engine(postgresql_timber.database.engine.url)
    try:
        with foreign.begin() as connection:
            connection.execute(text(INSERT))
        for before in ("SELECT 1", "UPDATE users SET email = 'stolen'"):
            with foreign.connect() as connection:
                connection.execute(text(before))
                with pytest.raises(ProgrammingError, match="cannot be changed"):
                    connection.execute(text("DELETE FROM timber_audit_pending"))
    finally:
        foreign.dispose()

    [entry] = postgresql_timber.audit.log()
    assert (entry.operation, entry.key) == ("insert", ("ann",))
    assert postgresql_timber.audit.verify().is_intact


def test_on_postgresql_whoever_puts_an_entry_in_the_place_of_a_note_is_found(
    postgresql_timber: Timber,
) -> None:
    engine = postgresql_timber.database.engine
    with postgresql_timber.database.session_scope() as session:
        session.add(postgresql_timber.models.get("User")(user_id="bob"))
    foreign = create_engine(engine.url)
    listed = "moment, table_name, operation, row_mark, subject_mark, actor_mark, hash"
    try:
        with foreign.begin() as connection:
            connection.execute(text(INSERT))
            lane, head = connection.execute(
                text("SELECT lane, head FROM timberaudit_take_lane(0)")
            ).one()
            number = connection.scalar(text("SELECT max(sequence) FROM timber_audit_pending"))
            forged = (
                f"INSERT INTO timber_audit_log (lane, position, details, {listed}) "
                f"SELECT {lane}, {(head or 0) + 1}, '{{\"note\":{number}}}', {listed} "
                "FROM timber_audit_log LIMIT 1"
            )
            connection.exec_driver_sql(forged)
            connection.execute(text("DELETE FROM timber_audit_pending"))
    finally:
        foreign.dispose()

    [problem] = postgresql_timber.audit.verify().problems
    assert problem.what == "this entry was changed, moved, or put in"


def test_rollbacks_and_savepoints_take_no_note_away(timber: Timber) -> None:
    note: Any = timber.models.get("Note")
    for number in range(3):
        with timber.database.session_scope() as session:
            session.add(note(id=f"kept {number}"))
            session.flush()
            with session.begin_nested() as nested:
                session.add(note(id=f"undone {number}"))
                session.flush()
                nested.rollback()
        with timber.database.session_scope() as session:
            session.add(note(id="undone"))
            session.flush()
            session.rollback()

    assert timber.audit.verify().problems == ()


@pytest.mark.parametrize("operation", ["insert", "delete"])
@pytest.mark.parametrize("key", ["not json", "{}", "[]", "7"])
def test_a_note_that_no_trigger_wrote_is_chained_and_told(
    timber: Timber, operation: str, key: str
) -> None:
    put_in = (
        "INSERT INTO timber_audit_pending (table_name, operation, row_key, writer, written_at) "
        f"VALUES ('notes', '{operation}', '{key}', 'mallory', '2020-01-01 00:00:00.000000')"
    )
    with timber.database.engine.begin() as connection:
        connection.execute(text(INSERT))
    raw = timber.database.engine.raw_connection()
    raw.cursor().execute(put_in)
    raw.commit()
    raw.close()
    with timber.database.engine.begin() as connection:
        connection.execute(text("INSERT INTO users (user_id) VALUES ('bob')"))

    found = timber.audit.verify()

    assert [one.what for one in found.problems] == [
        "the note of this was none that a trigger writes: somebody put it in"
    ]
    assert sorted(one.actor or "" for one in timber.audit.log()) == ["mallory", "timber", "timber"]


@given(
    st.integers(0, 30).flatmap(
        lambda last: st.tuples(st.just(last), st.sets(st.integers(1, 40)), st.randoms())
    )
)
def test_spans_count_what_is_gone(drawn: Any) -> None:
    last, there, chance = drawn
    notes = Notes(last)
    ordered = [*there, *there]
    chance.shuffle(ordered)

    for number in ordered:
        notes.add(number)

    assert notes.gone == len(set(range(1, last + 1)) - there)
