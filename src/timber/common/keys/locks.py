"""The right to renew keys, which one process has at a time, and loses when it is killed."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text

from timber.common.errors import KeystoreError
from timber.common.keys.private_files import make_private_file

Exclusive = Callable[[], AbstractContextManager[None]]

_NUMBER: Final = 7_161_943_310_412_867_251
"""Of the lock on PostgreSQL; chosen at random, so that nobody else uses it."""
_BUSY: Final = (
    "keys are being renewed by another process: wait until it is done; it goes on by itself"
)


def exclusive_on(engine: Engine, file: Path | None) -> Exclusive:
    """Return what gives the right, as long as a block lasts.

    It raises KeystoreError when another process has it.
    """
    if file is not None:
        return lambda: _by_file(file.with_name("renewal.lock"))
    if engine.dialect.name == "postgresql":
        return lambda: _by_connection(engine)
    return _by_thread(threading.Lock())


@contextlib.contextmanager
def _by_file(file: Path) -> Generator[None]:
    make_private_file(file)
    # SQLite locks files on every system, and the system unlocks them when a process ends.
    connection = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)
    with contextlib.closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise KeystoreError(_BUSY) from error
        yield


@contextlib.contextmanager
def _by_connection(engine: Engine) -> Generator[None]:
    with engine.connect() as connection:
        autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
        lock = {"number": _NUMBER}
        if not autocommit.execute(text("SELECT pg_try_advisory_lock(:number)"), lock).scalar():
            raise KeystoreError(_BUSY)
        try:
            yield
        finally:
            autocommit.execute(text("SELECT pg_advisory_unlock(:number)"), lock)


def _by_thread(lock: threading.Lock) -> Exclusive:
    @contextlib.contextmanager
    def exclusive() -> Generator[None]:
        if not lock.acquire(blocking=False):
            raise KeystoreError(_BUSY)
        try:
            yield
        finally:
            lock.release()

    return exclusive
