"""What the driver is asked by a statement of SQLAlchemy's is read as SQLAlchemy reads it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    bindparam,
    func,
    literal_column,
    select,
)

from timber.common.modeling.stored_types import TextEnum, UtcDateTime
from timber.common.runtime import Timber
from timber.common.vector.selecting import Selecting
from timber.common.vector.steps import taken

pytestmark = pytest.mark.integration

KINDS = Table(
    "kinds",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("moment", UtcDateTime),
    Column("share", Float),
    Column("price", Numeric(20, 8)),
    Column("said", String(20)),
    Column("details", JSON),
    Column("is_so", Boolean),
    Column("image", LargeBinary),
    Column("mood", TextEnum("glad", "sad", name="mood")),
)
NOON = datetime(2026, 5, 1, 12, 30, 15, 250, tzinfo=timezone(timedelta(hours=2)))
ROWS: list[dict[str, Any]] = [
    {"number": 1},
    {
        "number": 2,
        "moment": NOON,
        "share": 0.1,
        "price": Decimal("12.34567891"),
        "said": "100 % 'so': \\é",
        "details": {"a": [1, None]},
        "is_so": True,
        "image": b"\x00\xff",
        "mood": "glad",
    },
]


@pytest.fixture
def kinds(timber: Timber) -> Iterator[Timber]:
    engine = timber.database.engine
    KINDS.create(engine)
    with engine.begin() as connection:
        for row in ROWS:
            connection.execute(KINDS.insert(), row)
    yield timber
    KINDS.drop(engine)


def test_every_value_is_read_as_sqlalchemy_reads_it(kinds: Timber) -> None:
    statement = select(KINDS, func.coalesce(KINDS.c.moment, NOON).label("at")).order_by(
        KINDS.c.number
    )
    with kinds.database.engine.connect() as connection:
        selecting = Selecting(statement, connection.dialect.name)
        rows = taken(connection, _all(selecting))
        reading = list(map(selecting.reading, statement.selected_columns.keys()))
        found = [
            tuple(read(value) for read, value in zip(reading, row, strict=True)) for row in rows
        ]

        assert found == [tuple(row) for row in connection.execute(statement)]
    assert found[1][1] == NOON
    assert found[1][1].tzinfo is UTC


def test_what_is_given_is_written_as_the_column_keeps_it(kinds: Timber) -> None:
    given = KINDS.c.moment == bindparam("at", type_=UtcDateTime)
    statement = select(KINDS.c.number).where(given).limit(literal_column("5"))
    with kinds.database.engine.connect() as connection:
        selecting = Selecting(statement, connection.dialect.name)

        assert taken(connection, _all(selecting, at=NOON.astimezone(UTC))) == [(2,)]
        assert taken(connection, _all(selecting, at=NOON + timedelta(seconds=1))) == []
        assert taken(connection, _all(selecting, at=NOON)) == [(2,)]


def _all(selecting: Selecting, **given: Any) -> Any:
    rows = yield selecting.asked(**given)
    return rows
