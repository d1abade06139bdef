"""What the database tells of itself, on SQLite in memory, in a file, and on PostgreSQL."""

import asyncio
import os
import socket
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from timber.common.clock import SteadyClock, SystemClock
from timber.common.database.service import DatabaseService
from timber.common.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    NotOpenError,
    PoolExhaustedError,
    StatementTimeoutError,
)
from timber.common.runtime import Timber
from timber.common.settings import ConnectionOptions

pytestmark = pytest.mark.integration


def service() -> DatabaseService:
    return DatabaseService(clock=SteadyClock(SystemClock()))


def test_a_healthy_database_says_what_it_is(timber: Timber, database_url: str) -> None:
    with timber.database.session_scope() as session:
        session.execute(text("SELECT 1"))
        health = timber.database.health()

    assert health.reachable
    assert health.problem is None
    assert health.latency_seconds is not None
    assert 0 < health.latency_seconds < 60
    assert health.dialect == ("postgresql" if "postgresql" in database_url else "sqlite")
    assert health.version
    assert int(health.version.split(".")[0]) >= 3
    assert health.pool.in_use == 1
    assert health.pool.limit == (30 if "postgresql" in database_url else None)


@pytest.mark.parametrize("kind", ["a folder", "no server"])
def test_a_database_out_of_reach_is_told_of_and_not_raised(tmp_path: Path, kind: str) -> None:
    database = service()
    database.open(
        f"sqlite:///{tmp_path}"
        if kind == "a folder"
        else "postgresql://ada:s3cret@127.0.0.1:1/nothing"
    )

    health = database.health()
    with pytest.raises(DatabaseUnavailableError), database.session_scope() as session:
        session.execute(text("SELECT 1"))
    database.close()

    assert not health.reachable
    problem = str(health.problem)
    assert "s3cret" not in problem
    if kind == "a folder":
        assert str(tmp_path) in problem
    else:
        assert problem.startswith("PostgreSQL at 127.0.0.1, port 1: ")
        assert "Connection refused" in problem
    assert "\n" not in problem
    assert "check `database_url`" in problem
    assert health.latency_seconds is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://ada:s3cret@127.0.0.1:1/x?colour=red", 'option "colour"'),
        ("postgresql://ada:s3cret@127.0.0.1:1/x?sslmode=red", 'sslmode value: "red"'),
        ("postgresql://ada:s3cret@/x?host=/nowhere/at/all", "No such file or directory"),
    ],
)
def test_a_connection_that_cannot_begin_says_why(url: str, reason: str) -> None:
    database = service()
    database.open(url)
    try:
        with pytest.raises(DatabaseUnavailableError, match=reason) as caught:
            database.engine.connect()
    finally:
        database.close()

    assert "s3cret" not in str(caught.value)
    assert "PostgreSQL at " in str(caught.value)


def test_a_url_with_two_ports_is_refused_without_its_password() -> None:
    with pytest.raises(ConfigurationError, match="is not a URL") as caught:
        service().open("postgresql://ada:s3cret@one:1,two:2/x")

    assert "s3cret" not in str(caught.value)


def test_a_connection_that_the_server_ended_says_so_and_where(postgresql_url: str) -> None:
    database, other = service(), service()
    database.open(postgresql_url)
    other.open(postgresql_url)
    try:
        with database.engine.connect() as connection:
            process = connection.execute(text("SELECT pg_backend_pid()")).scalar()
            with other.engine.begin() as ending:
                ending.execute(
                    text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process}
                )
            with pytest.raises(DatabaseUnavailableError, match="terminating connection") as caught:
                connection.execute(text("SELECT 1"))
    finally:
        database.close()
        other.close()

    assert str(caught.value).startswith("PostgreSQL at ")


def test_a_connection_that_broke_says_so_and_where(postgresql_url: str) -> None:
    database = service()
    database.open(postgresql_url)
    try:
        with database.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            with socket.socket(fileno=os.dup(driver.fileno())) as under_it:
                under_it.shutdown(socket.SHUT_RDWR)
            with pytest.raises(
                DatabaseUnavailableError, match=r"the connection was lost: .+"
            ) as caught:
                connection.execute(text("SELECT 1"))
    finally:
        database.close()

    assert str(caught.value).startswith("PostgreSQL at ")


def test_a_closed_database_has_no_health() -> None:
    with pytest.raises(NotOpenError):
        service().health()


async def test_transactions_that_wait_are_counted(timber: Timber) -> None:
    go_on = Event()

    def work(_session: Session) -> None:
        assert go_on.wait(10)

    tasks = [asyncio.create_task(timber.database.run(work)) for _ in range(20)]
    await asyncio.sleep(0)
    while (health := await timber.database.async_health()).pending > 4:
        pass  # some have not begun yet
    go_on.set()
    await asyncio.gather(*tasks)

    assert health.pending == 4
    assert (await timber.database.async_health()).pending == 0


def test_an_exhausted_pool_is_a_typed_error(postgresql_url: str) -> None:
    database = service()
    options = ConnectionOptions(pool_size=1, pool_overflow=1, pool_timeout_seconds=0.01)
    database.open(postgresql_url, options)
    try:
        with ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(database.engine.connect())
            with pytest.raises(PoolExhaustedError, match="pool_size"):
                stack.enter_context(database.engine.connect())
            health = database.health()
    finally:
        database.close()

    assert not health.reachable
    assert health.pool.in_use == health.pool.limit == 2


def test_the_settings_reach_postgresql_unless_the_url_says_otherwise(postgresql_url: str) -> None:
    database = service()
    options = ConnectionOptions(
        statement_timeout_seconds=1.5, lock_timeout_seconds=2, application_name="mine"
    )
    joint = "&" if "?" in postgresql_url else "?"
    database.open(f"{postgresql_url}{joint}options=-c%20lock_timeout%3D7s", options)
    try:
        with database.engine.connect() as connection:
            said = [
                connection.execute(text(f"SHOW {name}")).scalar()
                for name in ("statement_timeout", "lock_timeout", "application_name")
            ]
    finally:
        database.close()

    assert said == ["1500ms", "7s", "mine"]


def test_a_statement_that_takes_too_long_is_a_typed_error(postgresql_url: str) -> None:
    database = service()
    database.open(postgresql_url, ConnectionOptions(statement_timeout_seconds=0.01))
    try:
        with (
            pytest.raises(StatementTimeoutError, match="statement_timeout_seconds"),
            database.session_scope() as session,
        ):
            session.execute(text("SELECT pg_sleep(10)"))
    finally:
        database.close()


def test_another_database_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no support for 'mysql'"):
        service().open("mysql://localhost/x")
