"""How the database says no, on SQLite in memory, in a file, and on PostgreSQL."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.timber.conftest import add, read

from timber.common.database.session import TimberSession
from timber.common.errors import (
    ConstraintError,
    ContentionError,
    DatabaseError,
    DatabaseUnavailableError,
    DuplicateError,
    InvalidValueError,
    MissingReferenceError,
    MissingValueError,
    SchemaMismatchError,
)
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration


def refused(
    timber: Timber, error: type[DatabaseError], work: Callable[[TimberSession], Any]
) -> str:
    """Return the whole traceback of a refusal, as a log would show it."""
    with pytest.raises(error) as caught:
        read(timber, work)
    assert caught.value.__cause__ is not None
    return "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"label": "s3cret"}, DuplicateError),
        ({"label": "other", "user_id": "s3cret"}, MissingReferenceError),
        ({"settings": {"s3cret": 1}}, MissingValueError),
        ({"label": "x", "settings": {"s3cret": object()}}, InvalidValueError),
        ({"label": "x", "settings": {"s3cret": float("nan")}}, InvalidValueError),
        ({"label": "x", "seen_at": "s3cret"}, InvalidValueError),
        ({"label": "x", "balance": 2**80}, InvalidValueError),
        ({"label": "x", "born": "s3cret"}, InvalidValueError),
        ({"label": "x", "photo": "s3cret"}, InvalidValueError),
        ({"label": "s3cret \ud800"}, InvalidValueError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_refused_value_is_named_by_its_kind_and_never_shown(
    timber: Timber, account: type[Any], values: dict[str, Any], error: type[DatabaseError]
) -> None:
    add(timber, account(id="one", label="s3cret"))

    shown = refused(timber, error, lambda session: session.add(account(**values)))

    assert "s3cret" not in shown


def test_a_table_that_is_not_there_names_the_cure(timber: Timber) -> None:
    shown = refused(
        timber, SchemaMismatchError, lambda session: session.execute(text("SELECT * FROM nope"))
    )

    assert "create_tables=True" in shown


def test_deleting_what_others_point_to_is_refused(timber: Timber, account: type[Any]) -> None:
    user = timber.models.get("User")
    add(timber, user(user_id="ada", email="a@x", username="ada"))
    add(timber, account(label="a", user_id="ada"))

    refused(
        timber, ConstraintError, lambda session: session.hard_delete(session.get_one(user, "ada"))
    )


def test_a_lock_that_is_not_given_is_contention(timber: Timber, account: type[Any]) -> None:
    add(timber, account(id="one", label="one"))
    is_sqlite = timber.database.engine.dialect.name == "sqlite"
    impatience = "PRAGMA busy_timeout = 0" if is_sqlite else "SET LOCAL lock_timeout = '10ms'"

    with timber.database.session_scope() as holder:
        holder.get_one(account, "one", with_for_update=True)

        def work(session: TimberSession) -> None:
            session.execute(text(impatience))
            session.get(account, "one", with_for_update=True)

        refused(timber, ContentionError, work)

    timber.database.engine.dispose()  # the impatient connection, which others would get


def test_the_database_says_when_it_cannot_be_reached(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a database", encoding="utf-8")
    settings = TimberSettings(database_url=f"sqlite:///{tmp_path}/file", packaged_models=False)

    with pytest.raises(DatabaseUnavailableError):
        Timber().open(settings)


# Only a server can end a connection.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_that_ends_the_connection_is_unavailable_and_then_back(
    timber: Timber, account: type[Any]
) -> None:
    refused(
        timber,
        DatabaseUnavailableError,
        lambda session: session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())")),
    )

    add(timber, account(label="a"))
