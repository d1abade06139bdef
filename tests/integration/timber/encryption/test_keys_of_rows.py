"""What is sealed is opened again, however the key of its row was given."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

import pytest
from sqlalchemy import insert, select
from tests.integration.timber.encryption.conftest import Open

from timber.common.errors import EncryptionError, TimberError
from timber.common.runtime import Timber

TYPES: Final = {
    "Price": "Numeric(10, 2)",
    "Day": "Date",
    "Hour": "Time",
    "Choice": "Boolean",
    "Word": "String(5)",
    "Code": "CHAR(5)",
    "Count": "BigInteger",
}
MODELS: Final = "models:" + "".join(
    f"""
  - name: {name}
    table_name: {name.lower()}s
    columns:
      - {{name: id, type: "{kind}", primary_key: true}}
      - {{name: part, type: Integer, primary_key: true, default: 0}}
      - {{name: body, type: Text}}
    encryption: {{enabled: true, fields: [body]}}
"""
    for name, kind in TYPES.items()
)
EAST: Final = timezone(timedelta(hours=2))

KEPT: Final = [
    ("Price", Decimal("-0.00")),
    ("Price", Decimal("1.5")),
    ("Price", 0.1),
    ("Price", 7),
    ("Day", date(2024, 1, 2)),
    ("Day", datetime(2024, 1, 2, 23, 30)),  # noqa: DTZ001 - as a day it has no zone
    ("Hour", time(1, 2, 3)),
    ("Hour", time(1, 2, 3, fold=1)),
    ("Choice", True),
    ("Word", "é"),
    ("Code", "a "),
    ("Count", 2**40),
]
REFUSED: Final = [
    ("Price", Decimal("0.015")),
    ("Price", 2.675),
    ("Day", datetime(2024, 1, 2, 23, 30, tzinfo=UTC)),
    ("Day", "2024-01-02"),
    ("Word", True),
    ("Word", "words "),
    ("Count", 1.5),
]
KEPT_OR_REFUSED: Final = [
    ("Choice", 1),
    ("Choice", 0),
    ("Hour", time(1, tzinfo=EAST)),
    ("Word", 5),
]
"""What one database takes, and the other one's driver does not."""


def write(timber: Timber, name: str, key: object, way: str) -> None:
    model = timber.models.get(name)
    values = {"id": key, "part": 0, "body": "secret"}
    if way == "orm":
        with timber.database.session_scope() as session:
            session.add(model(**values))
    elif way == "core":
        with timber.database.engine.begin() as connection:
            connection.execute(insert(model.__table__).values(**values))
    else:
        timber.database.bulk_insert(model, [values])


def read(timber: Timber, name: str) -> list[Any]:
    with timber.database.session_scope() as session:
        return [one.body for one in session.scalars(select(timber.models.get(name)))]


@pytest.fixture
def timber(open_sealed: Open) -> Timber:
    return open_sealed(MODELS)


@pytest.mark.parametrize("way", ["orm", "core", "bulk"])
def test_a_key_is_spelled_as_it_is_stored(timber: Timber, way: str) -> None:
    for name, key in KEPT:
        write(timber, name, key, way)
        assert read(timber, name)[-1:] == ["secret"], (name, key)
        with timber.database.engine.begin() as connection:
            connection.execute(timber.models.get(name).__table__.delete())


@pytest.mark.parametrize("way", ["orm", "core", "bulk"])
def test_a_key_that_would_be_stored_as_another_is_refused(timber: Timber, way: str) -> None:
    for name, key in REFUSED:
        with pytest.raises(EncryptionError):
            write(timber, name, key, way)
        assert read(timber, name) == [], (name, key)


@pytest.mark.parametrize("way", ["orm", "core", "bulk"])
def test_no_key_makes_what_cannot_be_opened(timber: Timber, way: str) -> None:
    for name, key in KEPT_OR_REFUSED:
        try:
            write(timber, name, key, way)
        except TimberError:
            assert read(timber, name) == [], (name, key)
        else:
            assert read(timber, name) == ["secret"], (name, key)
            with timber.database.engine.begin() as connection:
                connection.execute(timber.models.get(name).__table__.delete())
