"""What comes back from the database, on SQLite in memory, in a file, and on PostgreSQL."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.integration.timber.conftest import add, read

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


def test_every_type_comes_back_as_it_was_stored(timber: Timber, account: type[Any]) -> None:
    values = {
        "id": "one",
        "label": "Łódź 😀",
        "balance": -5,
        "settings": {"a": [1, 2.5, None, True, "ü", {"b": {}}], "empty": []},
        "price": Decimal("12.34"),
        "ratio": 0.1,
        "big": 2**62,
        "active": False,
        "born": date(1815, 12, 10),
        "seen_at": datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC),
        "photo": b"\x00\xff",
    }
    add(timber, account(**values))

    row = read(timber, lambda session: session.get_one(account, "one"))

    assert {name: getattr(row, name) for name in values} == values


def test_a_moment_comes_back_in_utc_whatever_zone_it_was_given_in(
    timber: Timber, account: type[Any]
) -> None:
    east = datetime.fromisoformat("2026-01-01T02:00:00+05:00")
    add(timber, account(id="one", label="one", seen_at=east))

    seen_at = read(timber, lambda session: session.get_one(account, "one").seen_at)
    found = read(
        timber,
        lambda session: session.scalars(select(account.id).where(account.seen_at == east)).all(),
    )

    assert (seen_at, seen_at.tzinfo) == (east, UTC)
    assert found == ["one"]


def test_defaults_are_made_anew_for_each_row(timber: Timber, account: type[Any]) -> None:
    one, other = account(label="one"), account(label="other")
    add(timber, one, other)

    one.notes["seen"].append("x")

    assert len(one.id) == 36
    assert one.id != other.id
    assert other.notes == {"seen": []}


def test_none_in_a_json_column_is_null(timber: Timber, account: type[Any]) -> None:
    add(timber, account(label="a", settings=None))

    empty = select(func.count()).where(account.settings.is_(None))

    assert read(timber, lambda session: session.scalar(empty)) == 1


def test_a_big_integer_key_counts_by_itself(timber: Timber, account: type[Any]) -> None:
    entry = timber.models.get("Entry")
    add(timber, account(label="a", entries=[entry(text="one"), entry(text="two")]))

    sequences = read(timber, lambda session: session.scalars(select(entry.sequence)).all())

    assert sorted(sequences) == [1, 2]
