"""What inserting many rows promises, on SQLite in memory, in a file, and on PostgreSQL."""

import itertools
import traceback
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    DateTime,
    Enum,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    func,
    insert,
    select,
)
from tests.integration.timber.conftest import START, SteppingClock, add, read

from timber.common.errors import DatabaseError, DuplicateError, UnknownColumnError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

VALUES = {
    "id": "one",
    "label": "Łódź 😀 \\N \t\n",
    "balance": -5,
    "settings": {"a": [1, 2.5, None, True, "ü", {"b": {}}], "empty": []},
    "price": Decimal("12.34"),
    "ratio": 0.1,
    "big": 2**62,
    "active": False,
    "born": date(1815, 12, 10),
    "seen_at": datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC),
    "photo": b"\x00\xff\\",
}


def count(timber: Timber, model: type[Any]) -> int:
    return int(read(timber, lambda session: session.query(model).count()))


def test_every_value_arrives_as_it_was_given(timber: Timber, account: type[Any]) -> None:
    stored = timber.database.bulk_insert(account, [VALUES, {"label": "none", "settings": None}])

    row = read(timber, lambda session: session.get_one(account, "one"))
    assert stored == 2
    assert {name: getattr(row, name) for name in VALUES} == VALUES
    assert read(
        timber,
        lambda session: session.scalars(
            select(account.label).where(account.settings.is_(None))
        ).all(),
    ) == ["none"]


def test_values_of_the_binary_form_arrive_as_well(timber: Timber, account: type[Any]) -> None:
    entry = timber.models.get("Entry")
    timber.database.bulk_insert(account, [{"id": "one", "label": "one"}])

    timber.database.bulk_insert(
        entry, [{"sequence": 2**40, "account_id": "one", "text": "\\N ü\t", "deleted_at": START}]
    )

    hidden = {"include_deleted": True}
    row = read(timber, lambda s: s.get_one(entry, 2**40, execution_options=hidden))
    assert (row.account_id, row.text, row.deleted_at) == ("one", "\\N ü\t", START)


def test_what_a_row_does_not_give_comes_from_the_model(
    timber: Timber, account: type[Any], clock: SteppingClock
) -> None:
    before = clock.readings

    timber.database.bulk_insert(account, ({"label": str(number)} for number in range(3)))

    rows = read(timber, lambda session: session.query(account).all())
    assert clock.readings == before + 1
    assert len({row.id for row in rows}) == 3
    assert {row.created_at for row in rows} == {row.updated_at for row in rows}
    assert [row.notes for row in rows] == [{"seen": []}] * 3
    assert [row.active for row in rows] == [True] * 3


def test_rows_may_give_different_columns(timber: Timber, account: type[Any]) -> None:
    entry = timber.models.get("Entry")
    timber.database.bulk_insert(account, [{"id": "a", "label": "a"}, {"label": "b", "balance": 7}])

    timber.database.bulk_insert(
        entry,
        [
            {"account_id": "a", "text": "first"},
            {"account_id": "a", "text": "second", "sequence": 900},
            {"account_id": "a"},
        ],
    )

    balances = read(timber, lambda s: s.scalars(select(account.balance)).all())
    texts = read(timber, lambda s: s.scalars(select(entry.text)).all())
    assert sorted(balances) == [0, 7]
    assert set(texts) == {"first", "second", None}


def test_a_row_that_is_refused_leaves_none(timber: Timber, account: type[Any]) -> None:
    rows = [{"label": "a"}, {"label": "b"}, {"label": "a"}]

    with pytest.raises(DuplicateError):
        timber.database.bulk_insert(account, rows)

    assert count(timber, account) == 0


def test_a_source_that_fails_leaves_none_and_its_own_error(
    timber: Timber, account: type[Any]
) -> None:
    def rows() -> Iterator[dict[str, str]]:
        yield from ({"label": str(number)} for number in range(1500))
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        timber.database.bulk_insert(account, rows())

    assert count(timber, account) == 0


def test_a_key_that_is_no_column_is_refused_with_a_hint(
    timber: Timber, account: type[Any]
) -> None:
    with pytest.raises(UnknownColumnError, match=r"no column 'labl'; did you mean 'label'"):
        timber.database.bulk_insert(account, [{"label": "a"}, {"labl": "b"}])


def test_what_has_no_table_is_refused(timber: Timber) -> None:
    with pytest.raises(TypeError, match="neither a model nor a table"):
        timber.database.bulk_insert(int, [])


def test_rows_are_part_of_the_transaction_they_are_given_to(
    timber: Timber, account: type[Any]
) -> None:
    entry = timber.models.get("Entry")
    with timber.database.session_scope() as session:
        session.add(account(id="a", label="a"))
        stored = timber.database.bulk_insert(entry, [{"account_id": "a"}], session=session)
        assert session.query(entry).count() == 1
        session.rollback()

    assert stored == 1
    assert count(timber, entry) == 0


def test_a_source_may_read_in_the_same_transaction(timber: Timber, account: type[Any]) -> None:
    add(timber, *(account(label=str(number)) for number in range(5)))

    with timber.database.session_scope() as session:
        labels = session.scalars(select(account.label))
        copies = ({"label": f"{label} again"} for label in labels)
        assert timber.database.bulk_insert(account, copies, session=session) == 5

    assert count(timber, account) == 10


def test_a_table_made_by_hand_gets_its_own_defaults(timber: Timber) -> None:
    table = Table(
        "by hand",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("colour", Enum("red", "green", name="colour"), default="red"),
        Column("said at", DateTime(timezone=True), server_default=func.now()),
        Column("upper", String(9), default=func.upper("abc")),
        Column("price", Numeric(10, 2), key="cost"),
    )
    table.create(timber.database.engine)

    timber.database.bulk_insert(table, [{"cost": 1.5}, {"colour": "green", "upper": "x"}])

    with timber.database.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(select(table).order_by(table.c.id))]
    assert [(row[0], row[1], row[3], row[4]) for row in rows] == [
        (1, "red", "ABC", Decimal("1.50")),
        (2, "green", "x", None),
    ]
    assert all(row[2] for row in rows)


REFUSED_EVERYWHERE: list[dict[str, Any]] = [
    {"label": "x", "settings": {"s3cret": object()}},
    {"label": "x", "seen_at": "s3cret"},
    {"settings": {"s3cret": 1}},
    {"label": "x", "user_id": "s3cret"},
]
# SQLite stores a value of any type in any column.
REFUSED_BY_POSTGRESQL: list[dict[str, Any]] = [
    {"label": "x", "balance": "s3cret"},
    {"label": "x", "balance": 2**80},
    {"label": "s3cret\0"},
    {"label": "x", "photo": 5},
]


@pytest.mark.parametrize(
    ("database_url", "values"),
    [
        *itertools.product(["memory", "file", "postgresql"], REFUSED_EVERYWHERE),
        *itertools.product(["postgresql"], REFUSED_BY_POSTGRESQL),
    ],
    indirect=["database_url"],
)
def test_a_refused_value_is_never_shown(
    timber: Timber, account: type[Any], values: dict[str, Any]
) -> None:
    with pytest.raises(DatabaseError) as caught:
        timber.database.bulk_insert(account, [values])

    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


async def test_the_event_loop_inserts_as_well(timber: Timber, account: type[Any]) -> None:
    rows = ({"label": str(number)} for number in range(10))

    assert await timber.database.async_bulk_insert(account, rows) == 10


def test_rows_from_a_generator_are_not_kept_in_memory(timber: Timber, account: type[Any]) -> None:
    def rows(number: int) -> Iterator[dict[str, str]]:
        return ({"label": f"{number} {row}", "id": f"{number} {row}"} for row in range(number))

    timber.database.bulk_insert(account, rows(2_000))
    tracemalloc.start()
    try:
        timber.database.bulk_insert(account, rows(20_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 5 * 2**20


def test_both_ways_in_store_the_same(timber: Timber, account: type[Any]) -> None:
    timber.database.bulk_insert(account, [VALUES])
    with timber.database.session_scope() as session:
        session.execute(insert(account), [{**VALUES, "id": "two", "label": "two"}])

    one, two = read(timber, lambda session: session.query(account).all())

    for name in VALUES.keys() - {"id", "label"}:
        assert getattr(one, name) == getattr(two, name)
