"""Engines: SQLAlchemy's, set up so that SQLite and PostgreSQL keep the same promises."""

import contextlib
import json
import sqlite3
import uuid
from collections.abc import Callable, Generator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, TimeoutError as NoConnectionError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool
from typing_extensions import override

from timber.common.database.driver_errors import translate_errors
from timber.common.database.sealing import seal_writes
from timber.common.database.sqlite_transactions import begin_early
from timber.common.database.updates import complete_updates
from timber.common.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    FeatureUnavailableError,
    PoolExhaustedError,
)
from timber.common.settings import ConnectionOptions, SQLiteSynchronous

MEMORY_TIMEOUT_SECONDS: Final = 10
"""How long anybody waits in memory at most, where readers, too, wait for a writer's commit."""

_FOR_EVER_SECONDS: Final = 1_000_000

_DEFAULTS: Final = ConnectionOptions()

_COMMON: Final[dict[str, Any]] = {
    # Row values, personal ones among them, stay out of exceptions and logs.
    "hide_parameters": True,
    "json_serializer": partial(json.dumps, ensure_ascii=False, allow_nan=False),
}


@contextlib.contextmanager
def opened_engine(database_url: str, options: ConnectionOptions = _DEFAULTS) -> Generator[Engine]:
    """Give an engine for the database, and close everything of it in the end.

    Nothing is connected yet, except that a database in memory comes to life.

    Raises:
        ConfigurationError: the URL is not one of SQLite or PostgreSQL.
        FeatureUnavailableError: the driver is not installed.

    """
    url = _parse(database_url)
    with contextlib.ExitStack() as stack:
        match url.get_backend_name():
            case "sqlite":
                engine = _sqlite(url, options, stack.callback)
            case "postgresql":
                engine = _postgresql(url, options)
            case other:
                raise ConfigurationError(
                    f"database_url: no support for {other!r}: use sqlite:/// or postgresql://"
                )
        stack.callback(engine.dispose)
        translate_errors(engine)
        complete_updates(engine)
        seal_writes(engine)
        yield engine


def _parse(database_url: str) -> URL:
    try:
        return make_url(database_url)
    except (ArgumentError, ValueError):
        # Not `from error`: the URL in its text may hold a password.
        raise ConfigurationError(
            "database_url is not a URL: write sqlite:///file.db or postgresql://user@host/name"
        ) from None


def _sqlite(url: URL, options: ConnectionOptions, on_close: Callable[..., Any]) -> Engine:
    in_memory = url.database in {None, "", ":memory:"}
    if in_memory:
        # A private database that all connections of this engine share, unlike `:memory:`.
        # It lives as long as one connection does: the keeper's.
        name = f"file:/timber-{uuid.uuid4()}"
        url = URL.create("sqlite", database=name, query={"vfs": "memdb", "uri": "true"})
        keeper = sqlite3.connect(f"{name}?vfs=memdb", uri=True, check_same_thread=False)
        on_close(keeper.close)
    else:
        url = url.set(drivername="sqlite")
        if not str(url.database).startswith("file:"):
            _make_folder(Path(str(url.database)).parent)
    timeout = options.lock_timeout_seconds or _FOR_EVER_SECONDS
    if in_memory:
        timeout = min(timeout, MEMORY_TIMEOUT_SECONDS)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        # Connections are cheap here, and a session that waits for one may hold the write lock.
        max_overflow=-1,
        connect_args={"check_same_thread": False, "timeout": timeout},
        **_COMMON,
    )
    prepare = _prepare_memory if in_memory else partial(_prepare_file, options.sqlite_synchronous)
    event.listen(engine, "connect", prepare)
    if options.overwrite_deleted:
        event.listen(engine, "connect", _overwrite_deleted)
    begin_early(engine)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"the folder {str(folder)!r} cannot be made: {error.strerror}"
        raise DatabaseUnavailableError(what) from error


def _prepare_memory(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    # So that a row which REPLACE takes away is told to the triggers of its deletion.
    connection.execute("PRAGMA recursive_triggers = ON")


def _prepare_file(
    synchronous: SQLiteSynchronous, connection: sqlite3.Connection, _record: object
) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    # So that a row which REPLACE takes away is told to the triggers of its deletion.
    connection.execute("PRAGMA recursive_triggers = ON")
    # Readers and the writer do not wait for each other.
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: what was committed survives a loss of power. NORMAL: it survives a kill.
    connection.execute(f"PRAGMA synchronous = {synchronous}")


def _overwrite_deleted(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA secure_delete = ON")


class _Pool(QueuePool):
    """A pool that says with a typed error that it is exhausted."""

    @override
    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except NoConnectionError as error:
            raise PoolExhaustedError("no connection became free in time") from error


def _postgresql(url: URL, options: ConnectionOptions) -> Engine:
    if find_spec("psycopg") is None:
        raise FeatureUnavailableError("PostgreSQL", cure="pip install 'puppet-engine[postgres]'")
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=_Pool,
        pool_size=options.pool_size,
        max_overflow=options.pool_overflow,
        pool_timeout=options.pool_timeout_seconds,
        pool_use_lifo=True,
        pool_recycle=1800,
        connect_args=_connect_args(url, options),
        **_COMMON,
    )


def _connect_args(url: URL, options: ConnectionOptions) -> dict[str, Any]:
    """Return what every connection starts with, unless the URL says otherwise."""
    timeouts = " ".join(
        f"-c {name}={round(seconds * 1000)}"
        for name, seconds in (
            ("statement_timeout", options.statement_timeout_seconds),
            ("lock_timeout", options.lock_timeout_seconds),
        )
    )
    given = url.query.get("options", "")
    written = given if isinstance(given, str) else " ".join(given)
    defaults = {"connect_timeout": 10, "application_name": options.application_name}
    said = {name: value for name, value in defaults.items() if name not in url.query}
    # Of two, PostgreSQL takes the last.
    return {**said, "options": f"{timeouts} {written}".strip()}
