"""Tells those who listen what has happened, without ever waiting for them."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final

from puppet_engine.core.errors import FellBehindError
from puppet_engine.core.models import Event
from puppet_engine.events.base import Listener

log = logging.getLogger(__name__)

BUFFER: Final = 10_000
"""How many events are kept for one who does not listen just now."""

SLICE: Final = 32
"""After so many events everybody else in the process gets a chance."""


class Feed:
    """Hands each event to every listener. One that raises or hangs harms nobody else."""

    def __init__(self, *, buffer: int = BUFFER) -> None:
        self._buffer = buffer
        # A dictionary keeps their order, so that a seeded life repeats.
        self._listeners: dict[_Subscription, None] = {}
        self._views: dict[_View, None] = {}

    def tell(self, event: Event) -> None:
        """Hand an event to all who asked for its type."""
        for subscription in self._listeners:
            subscription.offer(event)
        for view in self._views:
            view.offer(event)

    def subscribe(self, event_type: str, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every event of a type, `*` for all, until the result is called."""
        subscription = _Subscription(event_type, listener, bound=self._buffer)
        self._listeners[subscription] = None

        def unsubscribe() -> None:
            self._listeners.pop(subscription, None)
            subscription.close()

        return unsubscribe

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncGenerator[AsyncIterator[Event]]:
        """Open a live view of every event from now on."""
        view = _View(bound=self._buffer)
        self._views[view] = None
        try:
            yield view.events()
        finally:
            del self._views[view]

    async def drain(self, *, patience_seconds: float = 2) -> None:
        """Wait until every listener has been told everything, but not for one that hangs."""
        workers = {listener.worker for listener in self._listeners if listener.worker is not None}
        if workers:
            await asyncio.wait(workers, timeout=patience_seconds)


class _View:
    """The events that one who watches has not read yet."""

    def __init__(self, *, bound: int) -> None:
        self._bound = bound
        self._unread: deque[Event] = deque()
        self._news = asyncio.Event()
        self._fell_behind = False

    def offer(self, event: Event) -> None:
        if len(self._unread) >= self._bound:
            # A view has no holes: what was read of it until now is all there will be.
            self._fell_behind = True
            self._unread.clear()
        if not self._fell_behind:
            self._unread.append(event)
        self._news.set()

    async def events(self) -> AsyncGenerator[Event]:
        while not self._fell_behind:
            while self._unread:
                yield self._unread.popleft()
            self._news.clear()
            if not self._fell_behind:
                await self._news.wait()
        raise FellBehindError(self._bound)


class _Subscription:
    """One listener, and what it has not been told yet."""

    def __init__(self, event_type: str, listener: Listener, *, bound: int) -> None:
        self._type = event_type
        self._hears_all = event_type == "*"
        self._listener = listener
        self._bound = bound
        self._untold: deque[Event] = deque()
        self._missed = 0
        self.worker: asyncio.Task[None] | None = None

    def offer(self, event: Event) -> None:
        if not self._hears_all and event.type != self._type:
            return
        if len(self._untold) < self._bound:
            self._untold.append(event)
            if self.worker is None:
                name = f"listener of {self._type}"
                self.worker = asyncio.create_task(self._work(), name=name)
        else:
            self._miss()

    def _miss(self) -> None:
        self._missed += 1
        if self._missed % self._bound == 1:
            log.error(
                "a listener of %s is %d events behind and misses what comes; %d so far",
                self._type,
                self._bound,
                self._missed,
            )

    async def _work(self) -> None:
        told = 0
        while self._untold:
            event = self._untold.popleft()
            try:
                await self._listener(event)
            except (Exception, asyncio.CancelledError):  # the border to code that is not ours
                worker = asyncio.current_task()
                if worker is not None and worker.cancelling():
                    raise
                # If anything was cancelled, it was what the listener waited for.
                log.exception("a listener failed at %s", event.type)
            told += 1
            if told % SLICE == 0:
                # One that never waits must not keep the others from being told.
                await asyncio.sleep(0)
        self.worker = None

    def close(self) -> None:
        if self.worker is not None:
            self.worker.cancel()
