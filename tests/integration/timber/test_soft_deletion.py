"""What the deletion of a row promises, on SQLite in memory, in a file, and on PostgreSQL."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from tests.integration.timber.conftest import START, add, read

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


@pytest.fixture
def deleted(timber: Timber, account: type[Any]) -> str:
    """Store an account with two entries, one of them deleted, and a deleted account."""
    entry = timber.models.get("Entry")
    kept = account(id="kept", label="kept")
    kept.entries = [entry(text="kept"), entry(text="gone", deleted_at=START)]
    add(timber, kept, account(id="gone", label="gone", deleted_at=START))
    return "gone"


def test_queries_leave_deleted_rows_out(timber: Timber, account: type[Any], deleted: str) -> None:
    def work(session: Session) -> None:
        assert session.query(account).count() == 1
        assert [row.id for row in session.query(account)] == ["kept"]
        assert session.scalars(select(account.id)).all() == ["kept"]
        assert session.scalar(select(func.count()).select_from(account)) == 1
        assert session.get(account, deleted) is None

    read(timber, work)


def test_relationships_leave_deleted_rows_out(
    timber: Timber, account: type[Any], deleted: str
) -> None:
    entries = read(
        timber, lambda session: [one.text for one in session.get_one(account, "kept").entries]
    )

    assert entries == ["kept"]


def test_deleted_rows_are_shown_when_asked_for(
    timber: Timber, account: type[Any], deleted: str
) -> None:
    with timber.database.session_scope() as session:
        shown = session.scalars(
            select(account.id).order_by(account.id), execution_options={"include_deleted": True}
        ).all()
        row = session.get(account, deleted, execution_options={"include_deleted": True})

    assert shown == ["gone", "kept"]
    assert row is not None


def test_a_row_at_hand_can_be_refreshed_when_it_is_deleted(
    timber: Timber, account: type[Any]
) -> None:
    with timber.database.session_scope() as session:
        row = account(label="a")
        session.add(row)
        session.flush()
        row.deleted_at = START
        session.commit()

        session.refresh(row)

        assert row.deleted_at == START
