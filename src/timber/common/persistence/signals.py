"""Wakes those who wait for a person's notifications, in this process and in others."""

import asyncio
import contextlib
import json
from collections.abc import Generator
from threading import Lock
from typing import Any, Final

from sqlalchemy import event, text

from timber.common.database.session import TimberSession

CHANNEL: Final = "timber_notifications"
"""On which PostgreSQL tells of new notifications."""

_NOTIFY: Final = text("SELECT pg_notify(:channel, :payload)")
_PENDING: Final = "timber_announced"


class Signals:
    """Who waits for whose notifications. A signal says only: look again."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[Signal]] = {}
        self._lock = Lock()

    @contextlib.contextmanager
    def subscribed(self, user_id: str) -> Generator["Signal"]:
        """Give a signal that is set whenever there may be something new for the person."""
        signal = Signal(asyncio.get_running_loop())
        with self._lock:
            self._waiting.setdefault(user_id, set()).add(signal)
        try:
            yield signal
        finally:
            with self._lock:
                self._waiting[user_id].discard(signal)
                if not self._waiting[user_id]:
                    del self._waiting[user_id]

    @property
    def count(self) -> int:
        """How many wait."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def wake(self, user_id: str) -> None:
        """Let those look again who wait for the person's notifications; from any thread."""
        with self._lock:
            for signal in self._waiting.get(user_id, ()):
                signal.set()

    def wake_all(self) -> None:
        """Let everybody look again; from any thread."""
        with self._lock:
            for signals in self._waiting.values():
                for signal in signals:
                    signal.set()


class Signal:
    """An event of asyncio that any thread can set."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake the one who waits, now or later."""
        with contextlib.suppress(RuntimeError):  # his loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, timeout_seconds: float) -> None:
        """Wait until it is set, but not longer than that, and clear it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._event.wait()
        self._event.clear()


def announce(session: TimberSession, signals: Signals, user_id: str) -> None:
    """Wake those who wait for the person's notifications when the session commits."""
    session.info.setdefault(_PENDING, set()).add((signals, user_id))
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(_NOTIFY, {"channel": CHANNEL, "payload": json.dumps(user_id)})


@event.listens_for(TimberSession, "after_commit")
def _wake(session: TimberSession) -> None:
    if session.in_nested_transaction():
        return  # a savepoint, which may still be undone
    pending: set[tuple[Signals, str]] = session.info.pop(_PENDING, set())
    for signals, user_id in pending:
        signals.wake(user_id)


@event.listens_for(TimberSession, "after_soft_rollback")
def _forget(session: TimberSession, previous: Any) -> None:
    if previous.parent is None:
        session.info.pop(_PENDING, None)
