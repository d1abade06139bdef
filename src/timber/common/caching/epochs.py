"""The epoch: what changes in the database itself with every write that Redis was not told of.

A writer that cannot reach Redis counts its row of `cache_epochs` up in its own transaction, so
the change and the news of it become visible together. Readers look at the sum of all rows from
time to time, and look for nothing in Redis that was stored under another sum.
"""

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from timber.common.errors import SharedCacheUnavailableError

TABLE: Final = "cache_epochs"
IDENTITY: Final = "database"
"""The row by which a database is told from others that share a Redis."""

_READ: Final = f"SELECT coalesce(sum(value), 0) FROM {TABLE} WHERE name <> '{IDENTITY}'"  # noqa: S608 - constants
_COUNT: Final = (
    f"INSERT INTO {TABLE} (name, value) VALUES ('{{name}}', 1) "  # noqa: S608 - a name of our own making
    f"ON CONFLICT (name) DO UPDATE SET value = {TABLE}.value + 1"
)
_IDENTIFY: Final = (
    f"INSERT INTO {TABLE} (name, value) VALUES ('{IDENTITY}', {{value}}) "  # noqa: S608 - a number
    "ON CONFLICT (name) DO NOTHING"
)


class Epochs:
    """The epoch of one database, as this process knows it."""

    def __init__(
        self,
        *,
        engine: Engine,
        max_age_seconds: float,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        # A connection of its own: a reader may come with the last one of the pool in hand.
        self._pool = engine.pool.recreate()
        self._failures = engine.dialect.loaded_dbapi.Error
        self._max_age_seconds = max_age_seconds
        self._timer = timer
        self._process = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._connection: Any = None
        self._known = ""
        self._read_at: float | None = None

    def identity(self) -> str:
        """Return what tells this database from others, made on first sight."""
        connection = self._pool.connect()
        try:
            cursor = connection.cursor()
            cursor.execute(_IDENTIFY.format(value=uuid.uuid4().int >> 65))
            cursor.execute(f"SELECT value FROM {TABLE} WHERE name = '{IDENTITY}'")  # noqa: S608 - constants
            row = cursor.fetchone()
            connection.commit()
        finally:
            connection.close()
        return f"{row[0] if row else 0:x}"

    def current(self) -> str:
        """Return the epoch, as it was `max_age_seconds` ago or later.

        Raises:
            SharedCacheUnavailableError: the database does not tell.

        """
        read_at = self._read_at
        if read_at is not None and self._timer() < read_at + self._max_age_seconds:
            return self._known
        with self._lock:
            if self._read_at != read_at and self._read_at is not None:
                return self._known
            asked = self._timer()
            self._known = self._read()
            self._read_at = asked
            return self._known

    def forget(self) -> None:
        """Have the epoch read again before it is told."""
        with self._lock:
            self._read_at = None

    def count(self, dbapi_connection: Any) -> None:
        """Change the epoch, as part of the transaction of that connection."""
        cursor = dbapi_connection.cursor()
        try:
            # Each thread its own row: two never wait for each other.
            name = f"{self._process}-{threading.get_ident():x}"
            cursor.execute(_COUNT.format(name=name))
        finally:
            cursor.close()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
        self._pool.dispose()

    def _read(self) -> str:
        try:
            if self._connection is None:
                self._connection = self._pool.connect()
            cursor = self._connection.cursor()
            cursor.execute(_READ)
            ((total,),) = cursor.fetchall()
            cursor.close()
            self._connection.rollback()
        except (self._failures, SQLAlchemyError) as error:
            if self._connection is not None:
                self._connection.invalidate()
                self._connection = None
            raise SharedCacheUnavailableError("the epoch cannot be read") from error
        return str(total)
