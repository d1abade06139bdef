"""Where the database counts the primary key, values are bound to another column."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update
from tests.integration.timber.encryption.conftest import Open, stored

from timber.common.errors import EncryptionError, PlaintextRefusedError, TamperedError
from timber.common.runtime import Timber

MODELS = """
models:
  - name: User
    table_name: users
    columns:
      - {name: user_id, type: String(36), primary_key: true}
  - name: Entry
    table_name: entries
    columns:
      - {name: number, type: Integer, primary_key: true}
      - {name: code, type: String(36), nullable: false, unique: true, default: uuid7}
      - {name: user_id, type: String(36), foreign_key: users.user_id}
      - {name: body, type: Text}
      - {name: data, type: JSON}
    encryption: {enabled: true, fields: [body, data], bound_to: code}
    gdpr: {enabled: true}
"""
MARKER = "xyzzycanary"


@pytest.fixture
def timber(open_sealed: Open) -> Timber:
    timber = open_sealed(MODELS)
    user = timber.models.get("User")
    with timber.database.session_scope() as session:
        session.add_all([user(user_id="ann"), user(user_id="bob")])
    return timber


@pytest.fixture
def entry(timber: Timber) -> Any:
    return timber.models.get("Entry")


def row(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "user_id": "ann", "body": MARKER, "data": {"said": MARKER}, **more}


def read(timber: Timber, entry: Any) -> dict[str, tuple[Any, Any]]:
    with timber.database.session_scope() as session:
        return {one.code: (one.body, one.data) for one in session.scalars(select(entry))}


def test_it_opens_again_whatever_way_it_was_written(timber: Timber, entry: Any) -> None:
    table = entry.__table__
    with timber.database.session_scope() as session:
        session.add(entry(**row("orm")))
        session.add(entry(**row("changed", body="before", data=None)))
        session.add(entry(**row("moved")))
        session.execute(insert(entry), [row("many 1"), row("many 2")])
        session.connection().execute(insert(table), [row("core")])
    timber.database.bulk_insert(entry, [row("copy")])
    with timber.database.session_scope() as session:
        changed = session.scalars(select(entry).where(entry.code == "changed")).one()
        changed.body = MARKER  # by the number, so it is asked what it is bound to
        moved = session.scalars(select(entry).where(entry.code == "moved")).one()
        moved.user_id = "bob"
        session.flush()
        session.execute(update(table).where(table.c.code == "core").values(body="by its code"))
        number = session.scalar(select(table.c.number).where(table.c.code == "copy"))
        session.execute(update(table).where(table.c.number == number).values(body="by number"))

    assert read(timber, entry) == {
        "orm": (MARKER, {"said": MARKER}),
        "changed": (MARKER, None),
        "moved": (MARKER, {"said": MARKER}),
        "many 1": (MARKER, {"said": MARKER}),
        "many 2": (MARKER, {"said": MARKER}),
        "core": ("by its code", {"said": MARKER}),
        "copy": ("by number", {"said": MARKER}),
    }
    assert MARKER.encode() not in stored(timber)


def test_the_number_may_change_and_the_binding_may_not_without_the_values(
    timber: Timber, entry: Any
) -> None:
    table = entry.__table__
    with timber.database.session_scope() as session:
        session.connection().execute(insert(table), [row("one")])
        session.connection().execute(update(table).values(number=77))
    with (
        pytest.raises(PlaintextRefusedError, match=r"entries\.code would leave behind"),
        timber.database.session_scope() as session,
    ):
        session.connection().execute(update(table).values(code="other"))

    assert read(timber, entry) == {"one": (MARKER, {"said": MARKER})}


def test_rows_that_were_selected_by_columns_open_and_a_swapped_value_does_not(
    timber: Timber, entry: Any
) -> None:
    table = entry.__table__
    columns = ("code", "user_id", "body")
    query = select(*(table.c[name] for name in columns)).order_by(table.c.number)
    with timber.database.session_scope() as session:
        session.connection().execute(insert(table), [row("one"), row("two", body="second")])
        found = session.connection().execute(query).all()
    swapped = [("one", "ann", found[0].body), ("two", "ann", found[0].body)]

    opened = list(timber.sealer.open_rows("entries", columns, found))

    assert opened == [["one", "ann", MARKER], ["two", "ann", "second"]]
    with pytest.raises(TamperedError, match=r"entries\.body cannot be opened"):
        list(timber.sealer.open_rows("entries", columns, swapped))
    with pytest.raises(EncryptionError, match="must come with its code"):
        list(timber.sealer.open_rows("entries", ("user_id", "body"), [("ann", found[0].body)]))


def test_whoever_is_erased_is_erased_and_keys_are_renewed(timber: Timber, entry: Any) -> None:
    with timber.database.session_scope() as session:
        session.execute(insert(entry), [row("ann's"), row("bob's", user_id="bob")])

    timber.gdpr.erase("bob")

    assert read(timber, entry) == {"ann's": (MARKER, {"said": MARKER})}
