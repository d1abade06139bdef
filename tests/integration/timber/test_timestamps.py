"""What the timestamps of a row promise, on SQLite in memory, in a file, and on PostgreSQL."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from tests.integration.timber.conftest import START, SteppingClock, add, read

from timber.common.database.session import TimberSession
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


def test_a_new_row_was_updated_when_it_was_created(
    timber: Timber, account: type[Any], clock: SteppingClock
) -> None:
    one, other = account(label="one"), account(label="other")
    before = clock.readings

    add(timber, one, other)

    assert clock.readings == before + 1
    assert (
        one.created_at
        == one.updated_at
        == other.created_at
        == START + timedelta(seconds=clock.readings)
    )


def test_a_changed_row_is_updated_and_an_unchanged_one_is_not(
    timber: Timber, account: type[Any]
) -> None:
    row = account(label="a")
    add(timber, row)
    created = row.created_at

    with timber.database.session_scope() as session:
        session.add(row)
        row.label = "a"
        session.flush()
        unchanged = row.updated_at
        row.label = "b"

    assert unchanged == created
    assert row.created_at == created
    assert row.updated_at > created


@pytest.mark.parametrize("way", ["bulk_save_objects", "core insert", "bulk insert"])
def test_every_way_to_insert_sets_both_timestamps_alike(
    timber: Timber, account: type[Any], way: str
) -> None:
    with timber.database.session_scope() as session:
        match way:
            case "bulk_save_objects":
                session.bulk_save_objects([account(label="a"), account(label="b")])
            case "core insert":
                session.execute(insert(account.__table__), [{"label": "a"}, {"label": "b"}])
            case _:
                session.execute(insert(account), [{"label": "a"}, {"label": "b"}])

    rows = read(timber, lambda session: session.scalars(select(account)).all())

    assert len(rows) == 2
    assert all(row.created_at == row.updated_at for row in rows)


WAYS_TO_UPDATE: dict[str, Callable[[TimberSession, Any], object]] = {
    "a row": lambda session, page: setattr(session.get_one(page, "one"), "body", "x"),
    "update": lambda session, page: session.execute(update(page).values(body="x")),
    "query": lambda session, page: session.query(page).update({"body": "x"}),
    "by key": lambda session, page: session.execute(
        update(page), [{"id": "one", "version": 1, "body": "x"}]
    ),
    "bulk_update_mappings": lambda session, page: session.bulk_update_mappings(
        page, [{"id": "one", "version": 1, "body": "x"}]
    ),
    "bulk_save_objects": lambda session, page: session.bulk_save_objects(
        [changed(session, session.get_one(page, "one"))]
    ),
    "merge": lambda session, page: session.merge(page(id="one", body="x")),
    "table": lambda session, page: session.execute(update(page.__table__).values(body="x")),
    "table, many": lambda session, page: session.connection().execute(
        update(page.__table__).where(page.__table__.c.id == bindparam("key")),
        [{"key": "one", "body": "x"}],
    ),
    "connection": lambda session, page: session.connection().execute(
        update(page.__table__).values(body="x")
    ),
    "upsert": lambda session, page: session.execute(upsert(session, page)),
    "upsert of a table": lambda session, page: session.connection().execute(
        upsert(session, page.__table__)
    ),
    "a soft deletion": lambda session, page: session.delete(session.get_one(page, "one")),
    "a soft deletion of many": lambda session, page: session.execute(delete(page)),
}


def changed(session: TimberSession, page: Any) -> Any:
    session.expunge(page)
    page.body = "x"
    return page


def dialect_of(user: TimberSession | Connection) -> Any:
    name = (user.get_bind() if isinstance(user, TimberSession) else user).dialect.name
    return {"sqlite": sqlite, "postgresql": postgresql}[name]


def many(user: TimberSession, target: Any) -> Any:
    """Return an insert whose rows change those that are stored already."""
    inserting = dialect_of(user).insert(target)
    return inserting.on_conflict_do_update(
        index_elements=["id"], set_={"body": inserting.excluded.body}
    )


def upsert(user: TimberSession | Connection, target: Any) -> Any:
    """Return an insert of the stored page that changes it instead."""
    inserting = dialect_of(user).insert(target).values(id="one", body="x")
    return inserting.on_conflict_do_update(
        index_elements=["id"], set_={"body": inserting.excluded.body}
    )


@pytest.mark.parametrize("way", WAYS_TO_UPDATE)
def test_every_way_to_update_moves_updated_at(timber: Timber, way: str) -> None:
    page = timber.models.get("Page")
    row = page(id="one", body="a")
    add(timber, row)
    created = row.updated_at

    with timber.database.session_scope() as session:
        WAYS_TO_UPDATE[way](session, page)

    table = page.__table__
    with timber.database.engine.connect() as connection:
        moments = connection.execute(select(table.c.created_at, table.c.updated_at)).one()
    assert moments.created_at == created
    assert moments.updated_at > created


def test_an_upsert_moves_updated_at_each_time_it_is_run(timber: Timber) -> None:
    page = timber.models.get("Page")
    table = page.__table__
    add(timber, page(id="one", body="a"))
    moments: list[datetime] = []

    for _ in range(3):
        with timber.database.engine.begin() as connection:
            connection.execute(upsert(connection, page.__table__))
            moments.append(connection.execute(select(table.c.updated_at)).scalar_one())

    assert moments == sorted(set(moments))


@pytest.mark.parametrize("target", ["model", "table"])
@pytest.mark.parametrize("returning", [False, True])
def test_an_upsert_of_many_moves_each_of_them_to_one_moment(
    timber: Timber, target: str, *, returning: bool
) -> None:
    page = timber.models.get("Page")
    names = ("one", "two", "three")
    add(timber, *(page(id=name, body=f"old {name}") for name in names))

    with timber.database.session_scope() as session:
        statement = many(session, page if target == "model" else page.__table__)
        if returning:
            statement = statement.returning(page.__table__.c.id)
        session.execute(statement, [{"id": name, "body": f"new {name}"} for name in names])

    table = page.__table__
    with timber.database.engine.connect() as connection:
        stored = connection.execute(select(table)).all()
    assert {row.body for row in stored} == {f"new {name}" for name in names}
    assert len({row.updated_at for row in stored}) == 1
    assert all(row.updated_at > row.created_at for row in stored)


def test_an_upsert_that_sets_updated_at_itself_keeps_its_word(timber: Timber) -> None:
    page = timber.models.get("Page")
    add(timber, page(id="one", body="a"))
    table = page.__table__

    with timber.database.session_scope() as session:
        inserting = dialect_of(session).insert(table).values(id="one", body="x")
        statement = inserting.on_conflict_do_update(
            index_elements=["id"], set_={"body": "x", table.c.updated_at: START}
        )
        session.execute(statement)
        stored = session.execute(select(table)).one()

    assert (stored.body, stored.updated_at, stored.version) == ("x", START, 2)


def test_an_upsert_is_left_as_it_was_for_whoever_uses_it_again(timber: Timber) -> None:
    page = timber.models.get("Page")
    with timber.database.session_scope() as session:
        statement = upsert(session, page.__table__)
        before = set(statement._post_values_clause.update_values_to_set)

        session.execute(statement)

        assert set(statement._post_values_clause.update_values_to_set) == before


@pytest.mark.parametrize(
    "way",
    ["add_all", "bulk_save_objects", "bulk_insert_mappings", "insert", "table", "bulk_insert"],
)
def test_what_is_inserted_together_bears_one_moment(
    timber: Timber, account: type[Any], way: str, clock: SteppingClock
) -> None:
    rows = [{"label": "a"}, {"label": "b"}, {"label": "c"}]
    before = clock.readings

    with timber.database.session_scope() as session:
        match way:
            case "bulk_insert_mappings":
                session.bulk_insert_mappings(account, rows)
            case "insert":
                session.execute(insert(account), rows)
            case "table":
                session.execute(insert(account.__table__), rows)
            case "bulk_insert":
                timber.database.bulk_insert(account, rows, session=session)
            case _:
                getattr(session, way)([account(**row) for row in rows])

    table = account.__table__
    stored = read(
        timber, lambda s: s.execute(select(table.c.created_at, table.c.updated_at)).all()
    )
    assert clock.readings == before + 1
    assert len({moment for row in stored for moment in row}) == 1
    assert len(stored) == 3


def test_a_timestamp_given_by_hand_is_kept(timber: Timber, account: type[Any]) -> None:
    row = account(label="a", created_at=START)

    add(timber, row)

    assert row.created_at == row.updated_at == START
