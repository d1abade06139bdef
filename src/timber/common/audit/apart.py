"""A connection of its own, for what is asked while a transaction is at its end.

Whoever ends a transaction has a connection of the pool. If he took another one for a moment, as
many as the pool has connections could wait for each other.
"""

import contextlib
import threading
from collections.abc import Generator

from sqlalchemy import Connection, Engine, create_engine

from timber.common.database.driver_errors import translate_errors


class Apart:
    """One connection beside an engine's pool, made when it is first needed; one uses it at a time.

    It is for PostgreSQL: SQLite's pool has no bound.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._apart: Engine | None = None
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def begin(self) -> Generator[Connection]:
        """Give the connection in a transaction of its own.

        Raises:
            DatabaseError: the database cannot be reached.

        """
        with self._lock:
            if self._apart is None:
                pool = self._engine.pool.recreate()
                self._apart = create_engine(self._engine.url, pool=pool, hide_parameters=True)
                translate_errors(self._apart)
            with self._apart.begin() as connection:
                yield connection

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._apart is not None:
                self._apart.dispose()
                self._apart = None
