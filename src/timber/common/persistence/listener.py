"""Hears by LISTEN what other processes commit, in a thread with a connection of its own."""

import json
import logging
import select
import socket
import threading
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine, text
from typing_extensions import override

from timber.common.errors import DatabaseError
from timber.common.persistence.signals import CHANNEL, Signals

_log: Final = logging.getLogger(__name__)
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 10.0


class Listener:
    """Listens as long as it is started more often than it is stopped; on SQLite, to nothing."""

    def __init__(self, *, engine: Callable[[], Engine], signals: Signals) -> None:
        self._engine = engine
        self._signals = signals
        self._users = 0
        self._lock = threading.Lock()
        self._thread: _Thread | None = None

    def start(self) -> None:
        """Begin to listen; return when nothing committed from now on is missed.

        Raises:
            DatabaseError: the database cannot be reached.

        """
        with self._lock:
            engine = self._engine()
            if self._thread is None and engine.dialect.name == "postgresql":
                thread = _Thread(engine, self._signals)
                thread.begin()
                self._thread = thread
            self._users += 1

    def stop(self) -> None:
        """Listen no more, if nobody else has started it."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._end()

    def close(self) -> None:
        """Listen no more, whoever has started it."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.end()


class _Thread(threading.Thread):
    def __init__(self, engine: Engine, signals: Signals) -> None:
        super().__init__(name="timber-listener", daemon=True)
        self._engine = engine
        self._signals = signals
        self._ended = threading.Event()
        self._bell, self._ear = socket.socketpair()
        self._connection: Any = None

    def begin(self) -> None:
        self._connect()
        self.start()

    def end(self) -> None:
        self._ended.set()
        self._bell.send(b".")
        self.join()
        self._bell.close()
        self._ear.close()

    @override
    def run(self) -> None:
        wait = _FIRST_WAIT_SECONDS
        while not self._ended.is_set():
            try:
                if self._connection is None:
                    self._connect()
                    wait = _FIRST_WAIT_SECONDS
                    # What was told meanwhile was told to nobody.
                    self._signals.wake_all()
                self._hear()
            except Exception as error:  # noqa: BLE001 - drivers raise their own; whatever it is, the next connection may be better
                _log.warning("the notifications of PostgreSQL are lost: %s", error)
                self._disconnect()
                self._ended.wait(wait)
                wait = min(_LONGEST_WAIT_SECONDS, wait * 2)
        self._disconnect()

    def _connect(self) -> None:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            # Not one of the pool's any more: it is kept for long, and no transaction waits for it.
            connection.detach()
            connection.execute(text(f"LISTEN {CHANNEL}"))
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except DatabaseError as error:
                _log.debug("the lost connection could not be closed: %s", error)

    def _hear(self) -> None:
        driver = self._connection.connection.dbapi_connection  # psycopg's own
        for told in driver.notifies(timeout=0):
            self._signals.wake(json.loads(told.payload))
        select.select([driver.fileno(), self._ear], [], [])
