"""One engine at a time: who opens a database owns it until the process ends."""

import asyncio
import contextlib
import fcntl
import os
import socket
import zlib
from collections.abc import AsyncGenerator, Callable, Generator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from puppet_engine.core.errors import ConfigurationError, StorageError

_IN_NO_FILE: Final = frozenset({None, "", ":memory:"})

_LOCK: Final = zlib.crc32(b"puppet_engine") >> 1
"""The first half of the key of our advisory locks; the second is made from the schema."""

_HOLDER: Final = text(
    "SELECT a.application_name, a.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.classid = :lock AND l.objid = :schema AND l.granted "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

_TRY_ALONE: Final = text("SELECT pg_try_advisory_lock(:lock, :schema)")
_TRY_TO_SHARE: Final = text("SELECT pg_try_advisory_lock_shared(:lock, :schema)")

# So that the loss of a connection that nobody speaks on is noticed within seconds.
_KEEP_ALIVE: Final = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "connect_timeout": 10,
    "options": "-c idle_session_timeout=0 -c statement_timeout=10000",
}

OnLoss = Callable[[StorageError], None]
"""Is told, in the event loop, that the database may belong to somebody else by now."""


@contextlib.asynccontextmanager
async def sole_owner(
    database_url: str, *, since: datetime, on_loss: OnLoss, shared: bool = False
) -> AsyncGenerator[None]:
    """Hold a database for this process alone: a file of SQLite's, or a schema of PostgreSQL's.

    A database in memory is nobody else's anyway. The hold ends with the process, however it ends.
    Who only reads needs none.
    What is `shared` is held together with others that share it, and with nobody else;
    only PostgreSQL can be.

    Raises:
        ConfigurationError: another engine lives there; says which.
        StorageError: PostgreSQL cannot be asked.

    """
    url = make_url(database_url)
    process = f"process {os.getpid()} on {socket.gethostname()}"
    name = f"puppets, {process} since {since:%Y-%m-%dT%H:%MZ}"
    if url.get_backend_name() == "postgresql":
        async with _schema_held(url, name, on_loss, shared=shared):
            yield
    elif url.database in _IN_NO_FILE:
        yield
    else:
        with _file_held(str(url.database), name):
            yield


def _taken(database: str, holder: str) -> ConfigurationError:
    return ConfigurationError(
        f"another engine lives on {database} ({holder or 'it left no name'}): "
        "end it, or choose another database"
    )


# ------------------------------------------------------------------ files


@contextlib.contextmanager
def _file_held(database: str, name: str) -> Generator[None]:
    # A file of its own: SQLite forgets its locks when anybody closes the database's file.
    # Opened to append: until the lock is ours, what stands in it is another's.
    with Path(f"{database}.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise _taken(database, lock.read().strip()) from error
        lock.truncate(0)
        lock.write(f"{name}\n")
        lock.flush()
        yield


# ------------------------------------------------------------------ schemas


@contextlib.asynccontextmanager
async def _schema_held(
    url: URL, name: str, on_loss: OnLoss, *, shared: bool
) -> AsyncGenerator[None]:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        # What PostgreSQL shows of us; it keeps 63 bytes.
        connect_args={**_KEEP_ALIVE, "application_name": name[:63]},
        hide_parameters=True,
    )
    try:
        connection = await asyncio.to_thread(engine.connect)
    except SQLAlchemyError as error:
        raise StorageError(f"the database cannot be held: {_first_line(error)}") from error
    try:
        await asyncio.to_thread(_lock, connection, url.database or "", shared=shared)
        with _watched(connection, url.database or "", on_loss):
            yield
    finally:
        await asyncio.to_thread(_let_go, connection)


def _lock(connection: Connection, database: str, *, shared: bool) -> None:
    schema = str(connection.scalar(text("SELECT current_schema()")))
    key = {"lock": _LOCK, "schema": zlib.crc32(schema.encode()) >> 1}
    if not connection.scalar(_TRY_TO_SHARE if shared else _TRY_ALONE, key):
        found = connection.execute(_HOLDER, key).first()
        holder = f"{found[0]}, server process {found[1]}" if found else ""
        raise _taken(f"{database}, schema {schema}", holder)


@contextlib.contextmanager
def _watched(connection: Connection, database: str, on_loss: OnLoss) -> Generator[None]:
    """Tell `on_loss` when the connection, and the lock with it, is gone."""
    loop = asyncio.get_running_loop()
    driver: Any = connection.connection.driver_connection
    socket_number = driver.fileno()
    checks: set[asyncio.Task[None]] = set()

    async def check() -> None:
        try:
            await asyncio.to_thread(connection.scalar, text("SELECT 1"))
        except SQLAlchemyError as error:
            on_loss(
                StorageError(
                    f"the hold on {database} is lost ({_first_line(error)}): the engine stops, "
                    "lest another one lives there already; start it again"
                )
            )
        else:
            loop.add_reader(socket_number, look)

    def look() -> None:
        # The server speaks unasked: mostly its last word.
        loop.remove_reader(socket_number)
        task = asyncio.ensure_future(check())
        checks.add(task)
        task.add_done_callback(checks.discard)

    loop.add_reader(socket_number, look)
    try:
        yield
    finally:
        loop.remove_reader(socket_number)
        for task in checks:
            task.cancel()


def _let_go(connection: Connection) -> None:
    with contextlib.suppress(SQLAlchemyError):  # it may be broken already, which lets go too
        # The server notices a closed connection only after a while.
        connection.execute(text("SELECT pg_advisory_unlock_all()"))
        connection.close()


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
