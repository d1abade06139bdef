"""Events in batches: many in one transaction, each acknowledged when that is committed."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, Self

from sqlalchemy import select

from timber.common.clock import Clock
from timber.common.database.service import DatabaseService
from timber.common.database.session import TimberSession
from timber.common.errors import BufferClosedError, DuplicateError, UserNotFoundError
from timber.common.ids import IdFactory

_WAITING_BATCHES: Final = 4
"""So many batches may wait; then whoever brings another event waits, too."""


@dataclass(frozen=True)
class _Event:
    key: str
    values: Mapping[str, Any]
    idempotency_key: str | None
    acknowledged: "Future[str]" = field(default_factory=Future)


class EventBuffer:
    """Takes events from any thread, and stores them in the order in which they came.

    `track_event` returns a future: it has the key of the event when that is committed, or
    the error why it was not stored. What was not acknowledged may be lost with the process.
    Leaving the `with` block stores all that is waiting.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, all by keyword
        self,
        *,
        database: DatabaseService,
        users: Callable[[], type[Any]],
        events: Callable[[], type[Any]],
        track: Callable[..., str],
        clock: Clock,
        new_id: IdFactory,
        batch: int,
        wait_seconds: float,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._users = users
        self._events = events
        self._track = track
        self._clock = clock
        self._new_id = new_id
        self._timer = timer
        self._batch = batch
        self._wait_seconds = wait_seconds
        self._waiting: queue.Queue[_Event | None] = queue.Queue(batch * _WAITING_BATCHES)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_open = False

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._work, name="timber-events", daemon=True)
        self._thread.start()
        self._is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Store all that is waiting, and take no more; closing again does nothing."""
        with self._lock:
            was_open, self._is_open = self._is_open, False
            if was_open:
                self._waiting.put(None)
        if was_open and self._thread is not None:
            self._thread.join()

    def track_event(
        self,
        user_id: str,
        event_type: str,
        event_data: Any = None,
        *,
        occurred_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> "Future[str]":
        """Take an event, and return the future of its key; wait while too many are waiting.

        On the event loop: `await asyncio.wrap_future(buffer.track_event(…))`.

        Raises:
            BufferClosedError: the buffer is closed.

        """
        values = {
            "user_id": user_id,
            "event_type": event_type,
            "event_data": event_data,
            "occurred_at": occurred_at or self._clock.now(),
        }
        event = _Event(self._new_id(), values, idempotency_key)
        with self._lock:  # so that nothing comes behind the end
            if not self._is_open:
                raise BufferClosedError
            self._waiting.put(event)
        return event.acknowledged

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, ended = self._batch_after(first)
            self._store([one for one in batch if one.acknowledged.set_running_or_notify_cancel()])
            if ended:
                return

    def _batch_after(self, first: _Event) -> tuple[list[_Event], bool]:
        batch = [first]
        deadline = self._timer() + self._wait_seconds
        while len(batch) < self._batch:
            try:
                event = self._waiting.get(timeout=max(0, deadline - self._timer()))
            except queue.Empty:
                break
            if event is None:
                return batch, True
            batch.append(event)
        return batch, False

    def _store(self, batch: Sequence[_Event]) -> None:
        plain = [event for event in batch if event.idempotency_key is None]
        try:
            known = self._insert(plain)
        except Exception:  # noqa: BLE001 - one event of them may be the reason: each is told of its own
            for event in plain:
                self._acknowledge(event, partial(self._insert_again, event))
        else:
            for event in plain:
                self._acknowledge(event, partial(_key_of, event, known))
        for event in batch:
            if event.idempotency_key is not None:
                store = partial(self._track, idempotency_key=event.idempotency_key)
                self._acknowledge(event, partial(store, **event.values))

    def _acknowledge(self, event: _Event, store: Callable[[], str]) -> None:
        try:
            key = store()
        except Exception as error:  # noqa: BLE001 - handed to whoever brought the event
            event.acknowledged.set_exception(error)
        else:
            event.acknowledged.set_result(key)

    def _insert(self, events: Sequence[_Event]) -> AbstractSet[str]:
        """Store the events whose users there are, and return these users."""

        def work(session: TimberSession) -> AbstractSet[str]:
            user = self._users().user_id
            wanted = {event.values["user_id"] for event in events}
            known = frozenset(session.scalars(select(user).where(user.in_(wanted))))
            rows = [
                {"id": event.key, **event.values}
                for event in events
                if event.values["user_id"] in known
            ]
            self._database.bulk_insert(self._events(), rows, session=session)
            return known

        return self._database.run_sync(work) if events else frozenset()

    def _insert_again(self, event: _Event) -> str:
        # The connection may have been lost when all was committed: then its key is there.
        with suppress(DuplicateError):
            return _key_of(event, self._insert([event]))
        return event.key


def _key_of(event: _Event, known: AbstractSet[str]) -> str:
    if event.values["user_id"] not in known:
        raise UserNotFoundError(event.values["user_id"])
    return event.key
