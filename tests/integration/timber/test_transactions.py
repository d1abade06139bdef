"""What a transaction promises, on SQLite in memory, in a file, and on PostgreSQL."""

from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session
from tests.integration.timber.conftest import add, read, undone

from timber.common.errors import (
    DuplicateError,
    MissingReferenceError,
)
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


def test_a_block_that_ends_is_committed(timber: Timber, account: type[Any]) -> None:
    add(timber, account(label="a"))

    assert read(timber, lambda session: session.query(account).count()) == 1


def test_a_block_that_raises_leaves_nothing(timber: Timber, account: type[Any]) -> None:
    with pytest.raises(RuntimeError):
        undone(timber, lambda session: session.add(account(label="a")))

    assert read(timber, lambda session: session.query(account).count()) == 0


def test_work_after_a_commit_inside_the_block_is_committed_too(
    timber: Timber, account: type[Any]
) -> None:
    with timber.database.session_scope() as session:
        session.add(account(label="a"))
        session.commit()
        session.add(account(label="b"))

    assert read(timber, lambda session: session.query(account).count()) == 2


# In memory a reader waits until the writer has committed.
@pytest.mark.parametrize("database_url", ["file", "postgresql"], indirect=True)
def test_what_is_not_committed_is_not_seen_by_others(timber: Timber, account: type[Any]) -> None:
    with timber.database.session_scope() as writer:
        writer.add(account(label="a"))
        writer.flush()

        assert read(timber, lambda reader: reader.query(account).count()) == 0

    assert read(timber, lambda reader: reader.query(account).count()) == 1


def test_a_commit_that_the_database_refuses_leaves_nothing_to_whoever_comes_next(
    timber: Timber, account: type[Any]
) -> None:
    with timber.database.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE late (id INTEGER PRIMARY KEY, account_id VARCHAR(36)"
                " REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED)"
            )
        )

    def work(session: Session) -> None:
        session.add(account(label="refused"))
        session.flush()
        session.execute(text("INSERT INTO late VALUES (1, 'nobody')"))

    with pytest.raises(MissingReferenceError):
        timber.database.run_sync(work)

    for label in ("a", "b", "c"):
        add(timber, account(label=label))
    labels = read(timber, lambda session: session.scalars(select(account.label)).all())
    assert sorted(labels) == ["a", "b", "c"]
    with timber.database.engine.begin() as connection:
        connection.execute(text("DROP TABLE late"))


def test_a_savepoint_can_be_undone_alone(timber: Timber, account: type[Any]) -> None:
    with timber.database.session_scope() as session:
        session.execute(insert(account).values(label="kept"))
        with pytest.raises(DuplicateError), session.begin_nested():
            session.execute(insert(account).values(label="kept"))

    assert read(timber, lambda session: session.scalars(select(account.label)).all()) == ["kept"]


def test_a_savepoint_is_undone_with_its_transaction(timber: Timber, account: type[Any]) -> None:
    def work(session: Session) -> None:
        with session.begin_nested():
            session.add(account(label="a"))

    with pytest.raises(RuntimeError):
        undone(timber, work)

    assert read(timber, lambda session: session.query(account).count()) == 0


def test_an_insert_behind_a_with_is_undone_too(timber: Timber, account: type[Any]) -> None:
    add(timber, account(id="one", label="one"))
    copied = select(account.label, account.created_at, account.balance).cte("copied")
    inserting = insert(account).from_select(
        ["id", "label", "created_at", "updated_at", "balance"],
        select(
            text("'two'"),
            copied.c.label + "2",
            copied.c.created_at,
            copied.c.created_at.label("updated_at"),
            copied.c.balance,
        ),
        include_defaults=False,
    )

    with pytest.raises(RuntimeError):
        undone(timber, lambda session: session.execute(inserting))

    assert read(timber, lambda session: session.query(account).count()) == 1
