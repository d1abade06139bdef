"""What the timestamps of a row promise, on SQLite in memory, in a file, and on PostgreSQL."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from tests.integration.timber.conftest import START, SteppingClock, add, read

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


def test_an_update_statement_moves_updated_at(timber: Timber, account: type[Any]) -> None:
    row = account(id="one", label="a")
    add(timber, row)

    with timber.database.session_scope() as session:
        session.execute(update(account).values(label="b"))

    assert (
        read(timber, lambda session: session.get_one(account, "one")).updated_at > row.updated_at
    )


def test_a_timestamp_given_by_hand_is_kept(timber: Timber, account: type[Any]) -> None:
    row = account(label="a", created_at=START)

    add(timber, row)

    assert row.created_at == row.updated_at == START
