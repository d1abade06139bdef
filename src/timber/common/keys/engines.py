"""Databases in which keystores lie: a private file of SQLite, PostgreSQL, or memory."""

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from timber.common.database.driver_errors import translate_errors
from timber.common.database.engine import opened_engine
from timber.common.database.sqlite_transactions import begin_early
from timber.common.keys.private_files import make_private_file, make_private_folder
from timber.common.settings import ConnectionOptions

_LOCK_SECONDS: Final = 30


@contextlib.contextmanager
def file_engine(file: Path) -> Generator[Engine]:
    """Give an engine over a file that only its owner may read, made where it is missing.

    Raises:
        KeystoreError: the file, or its folder, is open to others, or cannot be made.

    """
    make_private_folder(file.parent)
    make_private_file(file)  # before SQLite would, with the rights that all files get
    engine = create_engine(
        URL.create("sqlite", database=str(file)),
        poolclass=QueuePool,
        max_overflow=-1,
        connect_args={"check_same_thread": False, "timeout": _LOCK_SECONDS},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    begin_early(engine)
    translate_errors(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # No log beside the file, in which a key that was destroyed would live on.
    connection.execute("PRAGMA journal_mode = DELETE")
    # What is deleted is overwritten.
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA synchronous = EXTRA")


@contextlib.contextmanager
def url_engine(url: str) -> Generator[Engine]:
    """Give an engine over PostgreSQL, or over a database in memory.

    Raises:
        ConfigurationError: the URL cannot be used.

    """
    options = ConnectionOptions(
        pool_size=2,
        statement_timeout_seconds=_LOCK_SECONDS,
        lock_timeout_seconds=_LOCK_SECONDS,
        application_name="timber keystore",
    )
    with opened_engine(url, options) as engine:
        yield engine
