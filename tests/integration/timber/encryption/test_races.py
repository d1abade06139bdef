"""What two transactions write at the same time is sealed for its own row."""

from typing import Any

from sqlalchemy import bindparam, event, select, update

from timber.common.runtime import Timber


def test_an_update_never_meets_a_row_that_came_after_it_was_asked_whose_it_is(
    timber: Timber, note: type[Any]
) -> None:
    engine = timber.database.engine
    came: list[str] = []

    def another_is_faster(_c: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if sql.startswith("UPDATE notes") and not came:
            came.append(sql)
            if engine.dialect.name == "postgresql":  # SQLite has one writer
                with timber.database.session_scope() as session:
                    session.add(note(id="n", user_id="bob", body="first"))

    event.listen(engine, "before_cursor_execute", another_is_faster)
    with engine.begin() as connection:
        table = note.__table__
        found = connection.execute(update(table).where(table.c.id == "n").values(body="second"))
        assert found.rowcount == 0

    assert came
    with timber.database.session_scope() as session:
        bodies = [one.body for one in session.scalars(select(note))]
    assert bodies == (["first"] if engine.dialect.name == "postgresql" else [])


def test_of_many_updates_only_those_with_a_row_are_written(
    timber: Timber, note: type[Any]
) -> None:
    with timber.database.session_scope() as session:
        session.add(note(id="1", user_id="ann", body="before"))

    with timber.database.session_scope() as session:
        session.connection().execute(
            update(note.__table__).where(note.__table__.c.id == bindparam("key")),
            [{"key": "0", "body": "of none"}, {"key": "1", "body": "after"}],
        )

    with timber.database.session_scope() as session:
        assert [one.body for one in session.scalars(select(note))] == ["after"]
