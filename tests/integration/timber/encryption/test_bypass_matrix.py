"""Every way of writing into sealed columns, on every database: sealed, or refused."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import (
    LargeBinary,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from tests.integration.timber.encryption.conftest import is_stored

from timber.common.errors import (
    AliasedWriteError,
    ConstraintError,
    DatabaseError,
    EncryptedColumnError,
    PlaintextRefusedError,
    TamperedError,
)
from timber.common.runtime import Timber

MARKER = "canary-4711"
EMAIL = f"{MARKER}@example.org"

Write = Callable[[Timber, Any], None]


def row(**more: Any) -> dict[str, Any]:
    """Return the values of a note that holds the marker in all its sealed columns."""
    return {
        "id": "1",
        "user_id": "ann",
        "body": MARKER,
        "email": EMAIL,
        "data": {"deep": [MARKER]},
        **more,
    }


SECRET = {"body": MARKER, "email": EMAIL, "data": {"deep": [MARKER]}}
FORGED = {"email_index": b"x" * 17}
"""A hash that nobody made of a value, of the right length."""
SECRET_TO_COME: dict[str, Any] = {name: bindparam(f"new_{name}") for name in SECRET}
SECRET_THAT_COMES = {f"new_{name}": value for name, value in SECRET.items()}


def plain(timber: Timber, note: Any) -> None:
    """Store a note without the marker."""
    with timber.database.session_scope() as session:
        session.add(note(id="1", user_id="ann", title="t", body="b", email="e@x.org", data={}))


def on_session(work: Callable[[Any, Any], Any], *, there: bool = False) -> Write:
    def write(timber: Timber, note: Any) -> None:
        if there:
            plain(timber, note)
        with timber.database.session_scope() as session:
            work(session, note)

    return write


def on_connection(work: Callable[[Any, Any], Any], *, there: bool = False) -> Write:
    def write(timber: Timber, note: Any) -> None:
        if there:
            plain(timber, note)
        with timber.database.engine.begin() as connection:
            work(connection, note.__table__)

    return write


def changed(session: Any, note: Any) -> None:
    found = session.get(note, "1")
    for name, value in SECRET.items():
        setattr(found, name, value)


def moved(session: Any, note: Any) -> None:
    changed(session, note)
    session.get(note, "1").user_id = "bob"


def moved_later(session: Any, note: Any) -> None:
    changed(session, note)
    session.flush()
    session.expire_all()
    session.get(note, "1").user_id = "bob"


def moved_by_relationship(session: Any, note: Any) -> None:
    changed(session, note)
    session.flush()
    session.expire_all()
    session.get(note, "1").owner = session.get(note.owner.property.mapper.class_, "bob")


def renamed(session: Any, note: Any) -> None:
    changed(session, note)
    session.flush()
    session.expire_all()
    session.get(note, "1").id = "2"


def softly_deleted(session: Any, note: Any) -> None:
    changed(session, note)
    session.flush()
    session.expire_all()
    session.delete(session.get(note, "1"))
    session.flush()
    session.restore(session.get(note, "1", execution_options={"include_deleted": True}))


def saved_in_bulk(session: Any, note: Any) -> None:
    found = session.get(note, "1")
    session.expunge(found)
    for name, value in SECRET.items():
        setattr(found, name, value)
    session.bulk_save_objects([found])


def upsert_for(session_or_connection: Any) -> Any:
    bind = getattr(session_or_connection, "bind", None) or session_or_connection.engine
    return sqlite.insert if bind.dialect.name == "sqlite" else postgresql.insert


def upserted(connection: Any, table: Any, *, many: bool = False) -> None:
    statement = upsert_for(connection)(table)
    names = ("body", "email", "data", "user_id")
    statement = statement.on_conflict_do_update(
        index_elements=["id"], set_={name: statement.excluded[name] for name in names}
    )
    connection.execute(statement, [row(), row(id="2", email=f"2{EMAIL}")] if many else row())


def upserted_by_value(connection: Any, table: Any) -> None:
    statement = upsert_for(connection)(table).values(row())
    connection.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"body": MARKER})
    )


def upserted_by_other_key(connection: Any, table: Any) -> None:
    statement = upsert_for(connection)(table).values(row())
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id"],
            set_={"body": statement.excluded.body, "user_id": statement.excluded.user_id},
        )
    )


def copied(connection: Any, table: Any) -> None:
    names = ["id", "body"]
    connection.execute(
        insert(table).from_select(
            names, select(literal("2"), table.c.body).where(table.c.id == "1")
        )
    )


def copied_into_itself(connection: Any, table: Any) -> None:
    connection.execute(update(table).where(table.c.id == "1").values(**SECRET))
    values = connection.execute(select(table.c.body, table.c.email, table.c.data)).mappings().one()
    connection.execute(update(table).where(table.c.id == "1").values(**values))


def by_default_value(connection: Any, table: Any) -> None:
    connection.execute(insert(table).from_select(["id"], select(literal("2"))))


def in_raw_sql(connection: Any, table: Any) -> None:
    value = {"body": MARKER.encode() * 9}
    connection.execute(text("UPDATE notes SET body = :body WHERE id = '1'"), value)


def index_in_raw_sql(connection: Any, table: Any) -> None:
    value = {"email": EMAIL.encode()}
    connection.execute(text("UPDATE notes SET email_index = :email WHERE id = '1'"), value)


def in_async_session(timber: Timber, note: Any) -> None:
    async def write() -> None:
        async with timber.database.async_session_scope() as session:
            session.add(note(**row()))

    asyncio.run(write())


SEALED: dict[str, Write] = {
    "add": on_session(lambda session, note: session.add(note(**row()))),
    "add_all": on_session(
        lambda session, note: session.add_all(
            note(**row(id=str(n), email=f"{n}{EMAIL}")) for n in range(1, 9)
        )
    ),
    "merge of a new row": on_session(lambda session, note: session.merge(note(**row()))),
    "merge of a stored row": on_session(
        lambda session, note: session.merge(note(**row())), there=True
    ),
    "a changed attribute": on_session(changed, there=True),
    "a changed owner, in the same flush": on_session(moved, there=True),
    "a changed owner": on_session(moved_later, there=True),
    "a changed owner, by its relationship": on_session(moved_by_relationship, there=True),
    "a changed key": on_session(renamed, there=True),
    "soft deletion and restoring": on_session(softly_deleted, there=True),
    "bulk_save_objects of new rows": on_session(
        lambda session, note: session.bulk_save_objects([note(**row())])
    ),
    "bulk_save_objects of stored rows": on_session(saved_in_bulk, there=True),
    "bulk_insert_mappings": on_session(
        lambda session, note: session.bulk_insert_mappings(note, [row()])
    ),
    "bulk_update_mappings": on_session(
        lambda session, note: session.bulk_update_mappings(note, [{"id": "1", **SECRET}]),
        there=True,
    ),
    "insert of many by the ORM": on_session(
        lambda session, note: session.execute(
            insert(note), [row(id=str(n), email=f"{n}{EMAIL}") for n in range(1, 9)]
        )
    ),
    "insert of many by the ORM, returning": on_session(
        lambda session, note: session.scalars(
            insert(note).returning(note),
            [row(id=str(n), email=f"{n}{EMAIL}") for n in range(1, 9)],
        ).all()
    ),
    "insert with values by the ORM": on_session(
        lambda session, note: session.execute(insert(note).values(**row()))
    ),
    "insert with a list of values by the ORM": on_session(
        lambda session, note: session.execute(
            insert(note).values([row(), row(id="2", email=f"2{EMAIL}")])
        )
    ),
    "update by key by the ORM": on_session(
        lambda session, note: session.execute(update(note).where(note.id == "1").values(**SECRET)),
        there=True,
    ),
    "update of many by key by the ORM": on_session(
        lambda session, note: session.execute(update(note), [{"id": "1", **SECRET}]), there=True
    ),
    "update by Query": on_session(
        lambda session, note: session.query(note).filter(note.id == "1").update(SECRET),
        there=True,
    ),
    "insert by Core": on_connection(
        lambda connection, table: connection.execute(insert(table), row())
    ),
    "insert with values by Core": on_connection(
        lambda connection, table: connection.execute(insert(table).values(**row()))
    ),
    "insert of many by Core": on_connection(
        lambda connection, table: connection.execute(
            insert(table), [row(id=str(n), email=f"{n}{EMAIL}") for n in range(1, 9)]
        )
    ),
    "insert with a list of values by Core": on_connection(
        lambda connection, table: connection.execute(
            insert(table).values([row(), row(id="2", email=f"2{EMAIL}")])
        )
    ),
    "insert with parameters in the values": on_connection(
        lambda connection, table: connection.execute(
            insert(table).values(body=bindparam("words"), id="1", user_id="ann", email=EMAIL),
            {"words": MARKER},
        )
    ),
    "update by key by Core": on_connection(
        lambda connection, table: connection.execute(
            update(table).where(table.c.id == "1").values(**SECRET)
        ),
        there=True,
    ),
    "update by key and owner by Core": on_connection(
        lambda connection, table: connection.execute(
            update(table).where(table.c.id == "1", table.c.user_id == "ann").values(**SECRET)
        ),
        there=True,
    ),
    "update of many by key by Core": on_connection(
        lambda connection, table: connection.execute(
            update(table).where(table.c.id == bindparam("key")), [{"key": "1", **SECRET}] * 2
        ),
        there=True,
    ),
    "a changed owner by Core, with all that is sealed": on_connection(
        lambda connection, table: connection.execute(
            update(table).where(table.c.id == "1").values(user_id="bob", **SECRET)
        ),
        there=True,
    ),
    "update by key with parameters in the values": on_connection(
        lambda connection, table: connection.execute(
            update(table).where(table.c.id == bindparam("key")).values(**SECRET_TO_COME),
            {"key": "1", **SECRET_THAT_COMES},
        ),
        there=True,
    ),
    "a changed key by Core, from one parameter to another": on_connection(
        lambda connection, table: connection.execute(
            update(table)
            .where(table.c.id == bindparam("old"))
            .values(id=bindparam("new"), **SECRET),
            {"old": "1", "new": "5"},
        ),
        there=True,
    ),
    "a changed owner by Core, while the WHERE names the former": on_connection(
        lambda connection, table: connection.execute(
            update(table)
            .where(table.c.id == bindparam("k"), table.c.user_id == bindparam("user_id"))
            .values(user_id=bindparam("u"), **SECRET),
            {"k": "1", "user_id": "ann", "u": "bob"},
        ),
        there=True,
    ),
    "insert with parameters that have the names of other columns": on_connection(
        lambda connection, table: connection.execute(
            insert(table).values(
                id=bindparam("user_id"), user_id=bindparam("id"), **SECRET_TO_COME
            ),
            {"user_id": "9", "id": "bob", **SECRET_THAT_COMES},
        )
    ),
    "insert of a list of values with parameters among them": on_connection(
        lambda connection, table: connection.execute(
            insert(table).values(
                [
                    {"id": bindparam("user_id"), "user_id": bindparam("u"), **SECRET},
                    row(id=bindparam("second"), email=f"2{EMAIL}"),
                ]
            ),
            {"user_id": "8", "u": "bob", "second": "9"},
        )
    ),
    "update by key to what is sealed in the row": on_connection(copied_into_itself, there=True),
    "upsert of a new row": on_connection(upserted),
    "upsert of a stored row": on_connection(upserted, there=True),
    "upsert of many": on_connection(
        lambda connection, table: upserted(connection, table, many=True), there=True
    ),
    "bulk_insert into a model": lambda timber, note: none(
        timber.database.bulk_insert(note, [row()])
    ),
    "bulk_insert into a table": lambda timber, note: none(
        timber.database.bulk_insert(note.__table__, [row()])
    ),
    "an async session": in_async_session,
}
"""Ways on which what is written is sealed."""

REFUSED: dict[str, tuple[type[Exception], Write]] = {
    "update by another condition": (
        PlaintextRefusedError,
        on_session(
            lambda session, note: session.execute(
                update(note).where(note.title == "t").values(body=MARKER)
            ),
            there=True,
        ),
    ),
    "update of every row": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(update(table).values(body=MARKER)),
            there=True,
        ),
    ),
    "update of one key or another": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table).where((table.c.id == "1") | (table.c.id == "2")).values(body=MARKER)
            ),
            there=True,
        ),
    ),
    "update to SQL": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table).where(table.c.id == "1").values(body=func.lower(MARKER))
            ),
            there=True,
        ),
    ),
    "update to another column": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table).where(table.c.id == "1").values(body=table.c.title)
            ),
            there=True,
        ),
    ),
    "update of the owner alone": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table).where(table.c.id == "1").values(user_id="bob")
            ),
            there=True,
        ),
    ),
    "update of the key alone": (
        PlaintextRefusedError,
        on_session(
            lambda session, note: session.execute(
                update(note).where(note.id == "1").values(id="2")
            ),
            there=True,
        ),
    ),
    "update of the index": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table).where(table.c.id == "1").values(email_index=EMAIL.encode())
            ),
            there=True,
        ),
    ),
    "update of the index to nothing": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table).where(table.c.id == "1").values(email_index=None)
            ),
            there=True,
        ),
    ),
    "update of the index as a parameter": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table).where(table.c.id == bindparam("key")),
                {"key": "1", "email_index": b"x" * 17},
            ),
            there=True,
        ),
    ),
    "insert of the index": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(insert(table).values(id="1", **FORGED))
        ),
    ),
    "insert of the index as a parameter": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(insert(table), {"id": "1", **FORGED})
        ),
    ),
    "insert of the index in a list of values": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                insert(table).values([{"id": "1", **FORGED}, {"id": "2", **FORGED}])
            )
        ),
    ),
    "insert of the index from a select": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                insert(table).from_select(
                    ["id", "email_index"], select(literal("2"), table.c.email_index)
                )
            ),
            there=True,
        ),
    ),
    "bulk_insert of the index": (
        PlaintextRefusedError,
        lambda timber, note: none(
            timber.database.bulk_insert(note.__table__, [{"id": "1", **FORGED}])
        ),
    ),
    "insert of SQL": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                insert(table).values(id="1", body=func.lower(MARKER))
            )
        ),
    ),
    "insert with a key made by SQL": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                insert(table).values(id=func.lower("A"), body=MARKER)
            )
        ),
    ),
    "insert from a select": (PlaintextRefusedError, on_connection(copied, there=True)),
    "insert from a select, with a default": (
        PlaintextRefusedError,
        on_connection(by_default_value, there=True),
    ),
    "insert in a common table expression": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                select(insert(table).values(**row()).returning(table.c.id).cte().c.id)
            )
        ),
    ),
    "update of an alias": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(other := table.alias()).where(other.c.id == "1").values(body=MARKER)
            ),
            there=True,
        ),
    ),
    "update of the owner of an alias": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table.alias()).values(user_id="bob")
            ),
            there=True,
        ),
    ),
    "update of the owner of an alias by the ORM": (
        AliasedWriteError,
        on_session(
            lambda session, note: session.execute(update(aliased(note)).values(user_id="bob")),
            there=True,
        ),
    ),
    "update of the key of an alias": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(other := table.alias()).where(other.c.id == "1").values(id="7")
            ),
            there=True,
        ),
    ),
    "update of one sealed column of an alias to another": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(other := table.alias()).values(body=other.c.email)
            ),
            there=True,
        ),
    ),
    "update of an alias to nothing": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(update(table.alias()).values(email=None)),
            there=True,
        ),
    ),
    "insert into an alias": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(insert(table.alias()).values(row()))
        ),
    ),
    "update of the owner in a common table expression": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                select(update(table).values(user_id="bob").returning(table.c.id).cte("u"))
            ),
            there=True,
        ),
    ),
    "update to SQL in a common table expression": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                select(
                    update(table)
                    .where(table.c.id == "1")
                    .values(body=func.lower(MARKER))
                    .returning(table.c.id)
                    .cte("u")
                )
            ),
            there=True,
        ),
    ),
    "insert of SQL in a common table expression": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                select(
                    insert(table)
                    .values(id="2", body=select(table.c.body).scalar_subquery())
                    .returning(table.c.id)
                    .cte("i")
                )
            ),
            there=True,
        ),
    ),
    "update of the key to SQL": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table).where(table.c.id == "1").values(id=func.lower("ZZ"), **SECRET)
            ),
            there=True,
        ),
    ),
    "update of the owner to SQL": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table).where(table.c.id == "1").values(user_id=func.lower("BOB"), **SECRET)
            ),
            there=True,
        ),
    ),
    "a key that becomes SQL": (
        PlaintextRefusedError,
        on_session(
            lambda session, note: setattr(session.get(note, "1"), "id", func.lower("ZZ")),
            there=True,
        ),
    ),
    "update to a parameter with a type of its own": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table).values(body=literal(MARKER.encode() * 9, LargeBinary))
            ),
            there=True,
        ),
    ),
    "update of many rows to a sealed value": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table)
                .where(table.c.user_id == "ann")
                .values(body=connection.scalar(select(table.c.body)))
            ),
            there=True,
        ),
    ),
    "update of one of some rows to what is sealed in it": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table)
                .where(table.c.id.in_(["1"]))
                .values(email=connection.scalar(select(table.c.email)))
            ),
            there=True,
        ),
    ),
    "update of many rows to a sealed value of a type of its own": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table).values(
                    body=literal(connection.scalar(select(table.c.body)), LargeBinary)
                )
            ),
            there=True,
        ),
    ),
    "update to what is sealed in another column": (
        TamperedError,
        on_connection(
            lambda connection, table: connection.execute(
                update(table)
                .where(table.c.id == "1")
                .values(body=connection.scalar(select(table.c.email)))
            ),
            there=True,
        ),
    ),
    "upsert to a value": (PlaintextRefusedError, on_connection(upserted_by_value, there=True)),
    "upsert by another key": (
        PlaintextRefusedError,
        on_connection(upserted_by_other_key, there=True),
    ),
    "a literal in the SQL": (
        PlaintextRefusedError,
        on_connection(
            lambda connection, table: connection.exec_driver_sql(
                str(
                    insert(table)
                    .values(id="1", body=MARKER)
                    .compile(connection.engine, compile_kwargs={"literal_binds": True})
                )
            )
        ),
    ),
    "raw SQL": (ConstraintError, on_connection(in_raw_sql, there=True)),
    "raw SQL into the index": (ConstraintError, on_connection(index_in_raw_sql, there=True)),
    "delete by what is sealed": (
        EncryptedColumnError,
        on_connection(
            lambda connection, table: connection.execute(
                delete(table).where(table.c.body == MARKER)
            ),
            there=True,
        ),
    ),
}
"""Ways on which nothing can be sealed, and what they raise."""


def none(_: object) -> None:
    return None


@pytest.mark.parametrize("way", SEALED)
def test_what_is_written_is_sealed(way: str, timber: Timber, note: type[Any]) -> None:
    SEALED[way](timber, note)

    assert not is_stored(timber, MARKER)
    with timber.database.session_scope() as session:
        rows = session.scalars(select(note)).all()
        assert rows
        for one in rows:
            assert one.body == MARKER
            assert one.data in ({"deep": [MARKER]}, {"tags": []})
            found = session.scalars(select(note).where(note.email == f" {one.email.upper()}"))
            assert found.all() == [one]


@pytest.mark.parametrize("way", REFUSED)
def test_what_cannot_be_sealed_is_refused(way: str, timber: Timber, note: type[Any]) -> None:
    error, write = REFUSED[way]

    with pytest.raises(error) as caught:
        write(timber, note)

    assert MARKER not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__!r}"
    assert not is_stored(timber, MARKER)
    with timber.database.session_scope() as session:
        for one in session.scalars(select(note)):
            assert (one.body, one.email, one.data) == ("b", "e@x.org", {})


def test_an_sql_error_shows_that_the_matrix_looks_where_values_are(
    timber: Timber, note: type[Any]
) -> None:
    with timber.database.session_scope() as session:
        session.add(note(id="1", title=MARKER))

    assert is_stored(timber, MARKER)
    assert issubclass(ConstraintError, DatabaseError)
