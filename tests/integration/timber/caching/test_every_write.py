"""No way to write leaves an old row in the cache, and no write that is undone takes one away."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from timber.common.caching.statistics import CacheStatistics
from timber.common.database.session import TimberSession
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

Write = Callable[[Timber, TimberSession], object]


def _book(timber: Timber) -> Any:
    return timber.models.get("Book")


def _table(timber: Timber) -> Any:
    return _book(timber).__table__


def _insert_or(session: TimberSession, table: Any) -> Any:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


def _upsert(timber: Timber, session: TimberSession) -> None:
    table = _table(timber)
    session.execute(
        _insert_or(session, table)
        .values(id="one", title="new")
        .on_conflict_do_update(index_elements=["id"], set_={"title": "new"})
    )


def _set_title(timber: Timber, session: TimberSession) -> None:
    session.get_one(_book(timber), "one", populate_existing=True).title = "new"


def _save_objects(timber: Timber, session: TimberSession) -> None:
    row = session.get_one(_book(timber), "one", populate_existing=True)
    row.title = "new"
    session.expunge(row)
    session.bulk_save_objects([row])


def _in_a_cte(timber: Timber, session: TimberSession) -> None:
    table = _table(timber)
    changed = update(table).values(title="new").where(table.c.id == "one").returning(table.c.id)
    if session.get_bind().dialect.name == "sqlite":
        session.execute(changed)
    else:
        session.execute(select(changed.cte("changed")))


def _in_a_savepoint(timber: Timber, session: TimberSession) -> None:
    with session.begin_nested():
        session.execute(update(_book(timber)).values(title="new"))


def _text(statement: str) -> Write:
    return lambda _timber, session: session.execute(text(statement))


CHANGES: Mapping[str, Write] = {
    "flush": _set_title,
    "merge": lambda timber, session: session.merge(_book(timber)(id="one", title="new")),
    "bulk_save_objects": _save_objects,
    "bulk_update_mappings": lambda timber, session: session.bulk_update_mappings(
        _book(timber), [{"id": "one", "title": "new"}]
    ),
    "update by key": lambda timber, session: session.execute(
        update(_book(timber)).values(title="new").where(_book(timber).id == "one")
    ),
    "update by primary keys": lambda timber, session: session.execute(
        update(_book(timber)), [{"id": "one", "title": "new"}]
    ),
    "update by condition": lambda timber, session: session.execute(
        update(_book(timber)).values(title="new").where(_book(timber).pages > 1)
    ),
    "Core update": lambda timber, session: session.execute(
        _table(timber).update().values(title="new").where(_table(timber).c.id.in_(["one"]))
    ),
    "Core update on the connection": lambda timber, session: session.connection().execute(
        _table(timber).update().values(title="new")
    ),
    "upsert": _upsert,
    "update in a CTE": _in_a_cte,
    "update in a savepoint": _in_a_savepoint,
    "SQL": _text("UPDATE books SET title = 'new' WHERE id = 'one'"),
    "SQL with another name": _text("update \"books\" set title = 'new'"),
    "SQL after a comment": _text("/* by hand */ -- here\n UPDATE books SET title = 'new'"),
    "SQL of the driver": lambda _timber, session: session.connection().exec_driver_sql(
        "UPDATE books SET title = 'new'"
    ),
    "SQL in two steps": _text(
        "WITH old AS (SELECT id FROM books) UPDATE books SET title = 'new' "
        "WHERE id IN (SELECT id FROM old)"
    ),
}
DELETIONS: Mapping[str, Write] = {
    "flush": lambda timber, session: session.delete(session.get(_book(timber), "one")),
    "delete by key": lambda timber, session: session.execute(
        delete(_book(timber)).where(_book(timber).id == "one")
    ),
    "Core delete": lambda timber, session: session.execute(_table(timber).delete()),
    "SQL": _text("DELETE FROM books"),
    "cascade of a flush": lambda timber, session: session.delete(
        session.get(timber.models.get("Shelf"), "shelf")
    ),
    "cascade of a delete": lambda timber, session: session.execute(
        delete(timber.models.get("Shelf")).where(timber.models.get("Shelf").id == "shelf")
    ),
    "cascade of SQL": _text("DELETE FROM shelves WHERE id = 'shelf'"),
}
ADDITIONS: Mapping[str, Write] = {
    "flush": lambda timber, session: session.add(_book(timber)(id="two", title="new")),
    "bulk_save_objects": lambda timber, session: session.bulk_save_objects(
        [_book(timber)(id="two", title="new")]
    ),
    "bulk_insert_mappings": lambda timber, session: session.bulk_insert_mappings(
        _book(timber), [{"id": "two", "title": "new"}]
    ),
    "many": lambda timber, session: session.execute(
        insert(_book(timber)),
        [{"id": "two", "title": "new"}, *({"id": str(n), "title": "x"} for n in range(200))],
    ),
    "Core insert": lambda timber, session: session.execute(
        _table(timber).insert().values([{"id": "3", "title": "x"}, {"id": "two", "title": "new"}])
    ),
    "insert from select": lambda timber, session: session.execute(
        insert(_table(timber)).from_select(["id", "title"], select(text("'two'"), text("'new'")))
    ),
    "bulk_insert": lambda timber, session: timber.database.bulk_insert(
        _book(timber), [{"id": "two", "title": "new"}], session=session
    ),
    "upsert": lambda timber, session: session.execute(
        _insert_or(session, _table(timber)).values(id="two", title="new").on_conflict_do_nothing()
    ),
    "SQL": _text("INSERT INTO books (id, title) VALUES ('two', 'new')"),
}


@pytest.fixture(autouse=True)
def stored(timber: Timber, book: type[Any], done: Callable[[], CacheStatistics]) -> None:
    """Store a book, and have it, and that there is no other, remembered."""
    with timber.database.session_scope() as session:
        session.add(timber.models.get("Shelf")(id="shelf"))
        session.flush()
        session.add(book(id="one", title="old", pages=7, shelf_id="shelf"))
    assert titles(timber) == ("old", None)
    assert done().hits == 2
    assert titles(timber) == ("old", None)
    assert done().hits == 6


def titles(timber: Timber) -> tuple[str | None, str | None]:
    with timber.database.session_scope() as session:
        rows = (session.get(_book(timber), key) for key in ("one", "two"))
        one, two = (row and row.title for row in rows)
    for key, title in (("one", one), ("two", two)):
        row = timber.database.get(_book(timber), key)
        assert (row and row.title) == title, "both ways to read tell the same"
    return one, two


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen_at_once(timber: Timber, name: str) -> None:
    with timber.database.session_scope() as session:
        CHANGES[name](timber, session)

    assert titles(timber) == ("new", None)


@pytest.mark.parametrize("name", DELETIONS)
def test_a_deletion_is_seen_at_once(timber: Timber, name: str) -> None:
    with timber.database.session_scope() as session:
        DELETIONS[name](timber, session)

    assert titles(timber) == (None, None)


@pytest.mark.parametrize("name", ADDITIONS)
def test_an_addition_is_seen_at_once(timber: Timber, name: str) -> None:
    with timber.database.session_scope() as session:
        ADDITIONS[name](timber, session)

    assert titles(timber) == ("old", "new")


CERTAIN = {"SQL in two steps"}
"""What might commit by itself, for all that can be told; it is forgotten in any case."""


@pytest.mark.parametrize(
    "write",
    [
        *(pytest.param(one, id=name) for name, one in CHANGES.items() if name not in CERTAIN),
        *(pytest.param(one, id=f"deletion by {name}") for name, one in DELETIONS.items()),
        *(pytest.param(one, id=f"addition by {name}") for name, one in ADDITIONS.items()),
    ],
)
def test_what_is_undone_takes_nothing_out_of_the_cache(timber: Timber, write: Write) -> None:
    before = timber.cache.statistics()

    with timber.database.session() as session:
        write(timber, session)
        session.flush()
        session.rollback()

    assert titles(timber) == ("old", None)
    after = timber.cache.statistics()
    assert after.hits >= before.hits + 2
    assert (after.misses, after.invalidations) == (before.misses, before.invalidations)


def test_a_transaction_that_has_written_reads_the_database(timber: Timber, book: Any) -> None:
    with timber.database.session() as session:
        session.execute(
            update(book).values(title="mine"), execution_options={"synchronize_session": False}
        )

        assert session.get_one(book, "one").title == "mine"

        session.rollback()
    assert titles(timber) == ("old", None)


def test_a_write_that_commits_by_itself_is_seen_at_once(timber: Timber) -> None:
    engine = timber.database.engine.execution_options(isolation_level="AUTOCOMMIT")

    with engine.connect() as connection:
        connection.execute(text("UPDATE books SET title = 'new'"))
        connection.rollback()

    assert titles(timber) == ("new", None)


def test_a_table_that_is_emptied_is_forgotten(timber: Timber) -> None:
    is_sqlite = timber.database.engine.dialect.name == "sqlite"
    statement = "DELETE FROM books" if is_sqlite else "TRUNCATE shelves CASCADE"

    with timber.database.engine.begin() as connection:
        connection.exec_driver_sql(statement)

    assert titles(timber) == (None, None)
