"""No error and no log shows a value, on SQLite in memory, in a file, and on PostgreSQL."""

import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Column, Enum, MetaData, String, Table, insert, text
from tests.integration.timber.conftest import add, read

from timber.common.database.session import TimberSession
from timber.common.errors import (
    ConflictError,
    ConstraintError,
    DatabaseError,
    DuplicateError,
    InvalidValueError,
    MissingReferenceError,
    MissingValueError,
    SchemaMismatchError,
)
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

CANARY = "s3cret"

RULED = Table(
    "ruled",
    MetaData(),
    Column("name", String(50), CheckConstraint("length(name) < 3", name="short")),
    Column("colour", Enum("red", name="ruled_colour", validate_strings=True)),
)


def new_beside_old(session: TimberSession, page: Any) -> None:
    """Add a row with the key of one that is at hand."""
    old = session.get(page, CANARY)
    session.add(page(id=CANARY))
    session.flush()
    assert old


def stale(session: TimberSession, page: Any) -> None:
    """Change a row that somebody else has changed meanwhile."""
    row = session.get_one(page, CANARY)
    session.execute(text("UPDATE pages SET version = 7"))
    row.body = CANARY
    session.flush()


KINDS: dict[str, tuple[type[DatabaseError], Callable[[TimberSession, Any], object]]] = {
    "unique": (DuplicateError, lambda s, page: s.execute(insert(page).values(slug=CANARY))),
    "key at hand": (DuplicateError, new_beside_old),
    "restored": (
        DuplicateError,
        lambda s, page: s.restore(
            s.get_one(page, "deleted", execution_options={"include_deleted": True})
        ),
    ),
    "stale": (ConflictError, stale),
    "check": (ConstraintError, lambda s, _: s.execute(insert(RULED).values(name=CANARY))),
    "enum": (InvalidValueError, lambda s, _: s.execute(insert(RULED).values(colour=CANARY))),
    "not bindable": (
        InvalidValueError,
        lambda s, page: s.execute(insert(page).values(body=[CANARY, object()])),
    ),
    "syntax": (DatabaseError, lambda s, _: s.execute(text(f"SELECT '' {CANARY} o'clock"))),
    "quote": (DatabaseError, lambda s, _: s.execute(text(f"SELECT '{CANARY}"))),
    "null": (
        MissingValueError,
        lambda s, page: s.execute(insert(page).values(body=CANARY, version=None)),
    ),
    "reference": (
        MissingReferenceError,
        lambda s, _: s.execute(
            text("INSERT INTO entries (sequence, account_id) VALUES (1, :it)"), {"it": CANARY}
        ),
    ),
    "no table": (
        SchemaMismatchError,
        lambda s, _: s.execute(text("SELECT * FROM nowhere WHERE a = :it"), {"it": CANARY}),
    ),
}


@pytest.fixture
def ruled(timber: Timber) -> Iterator[None]:
    RULED.create(timber.database.engine)
    yield
    RULED.drop(timber.database.engine)


@pytest.mark.parametrize("kind", KINDS)
def test_no_value_is_shown(
    timber: Timber, ruled: None, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    page = timber.models.get("Page")
    add(timber, page(id="deleted", slug=CANARY))
    read(timber, lambda session: session.delete(session.get_one(page, "deleted")))
    add(timber, page(id=CANARY, slug=CANARY))
    error, work = KINDS[kind]

    with caplog.at_level(logging.INFO), pytest.raises(error) as caught:
        read(timber, lambda session: work(session, page))

    shown = "".join(traceback.format_exception(caught.value))
    own = "\n".join(line for line in shown.splitlines() if "CANARY" not in line)
    assert CANARY not in own
    assert CANARY not in str(caught.value) + repr(caught.value)
    assert caught.value.cure in str(caught.value)
    parameters = [one.getMessage() for one in caplog.records if "SELECT '" not in one.getMessage()]
    assert CANARY not in "".join(parameters)
