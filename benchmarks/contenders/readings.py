"""The rows that every contender stores and reads: ten columns, one of them indexed."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from benchmarks.harness.stage import Facts
from sqlalchemy import create_engine, func, select, table

MODEL: Final = """\
models:
  - name: Reading
    table_name: readings
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: owner_id, type: String(36), nullable: false, index: true}
      - {name: kind, type: String(20), nullable: false}
      - {name: title, type: String(100), nullable: false}
      - {name: body, type: Text, nullable: false}
      - {name: rank, type: Integer, nullable: false}
      - {name: price, type: Float, nullable: false}
      - {name: is_open, type: Boolean, nullable: false}
      - {name: note, type: String(50)}
      - {name: made_at, type: DateTime, nullable: false}
"""
"""The table as a model file; the peers have the same columns, written by hand."""

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_OWNERS: Final = 500
_BODY: Final = "She sells what the sea leaves on the shore, and remembers who came to buy it. "


def rows(number: int) -> list[dict[str, Any]]:
    """Return the values of that many rows; the same ones every time."""
    return list(each_row(number))


def each_row(number: int) -> Iterator[dict[str, Any]]:
    """Yield the same values one by one."""
    chance = Random(7)  # noqa: S311 - data, not secrets
    owners = [_uuid(chance) for _ in range(_OWNERS)]
    for index in range(number):
        yield {
            "id": _uuid(chance),
            "owner_id": owners[index % _OWNERS],
            "kind": ("price", "volume", "news")[index % 3],
            "title": f"Reading {index} of the day",
            "body": f"{_BODY}{index:022}",
            "rank": index % 1000,
            "price": index / 7,
            "is_open": index % 2 == 0,
            "note": None if index % 4 else "seen twice",
            "made_at": _START + timedelta(seconds=index),
        }


def _uuid(chance: Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def stored(database_url: str) -> Facts:
    """Tell what is in the table, by a connection that has nothing to do with the contender."""
    engine = create_engine(database_url)
    readings = table("readings")
    count = select(func.count()).select_from(readings)
    with engine.connect() as connection:
        facts = {"rows": connection.execute(count).scalar_one()}
    engine.dispose()
    return facts


def expected(size: int) -> Mapping[str, int]:
    """Return what `stored` should tell."""
    return {"rows": size}
