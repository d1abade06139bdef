"""Tells those who listen what has happened, without ever waiting for them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from puppet_engine.core.models import Event
from puppet_engine.events.base import Listener

log = logging.getLogger(__name__)


class Feed:
    """Hands each event to every listener. One that raises or hangs harms nobody else."""

    def __init__(self) -> None:
        self._listeners: set[_Subscription] = set()

    def tell(self, event: Event) -> None:
        """Hand an event to all who asked for its type."""
        for subscription in self._listeners:
            subscription.offer(event)

    def subscribe(self, event_type: str, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every event of a type, `*` for all, until the result is called."""
        subscription = _Subscription(event_type, listener)
        self._listeners.add(subscription)

        def unsubscribe() -> None:
            self._listeners.discard(subscription)
            subscription.close()

        return unsubscribe

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncGenerator[AsyncIterator[Event]]:
        """Open a live view of every event from now on."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        unsubscribe = self.subscribe("*", queue.put)
        try:
            yield _drawn_from(queue)
        finally:
            unsubscribe()

    async def drain(self, *, patience_seconds: float = 2) -> None:
        """Wait until every listener has been told everything, but not for one that hangs."""
        workers = {listener.worker for listener in self._listeners if listener.worker is not None}
        if workers:
            await asyncio.wait(workers, timeout=patience_seconds)


async def _drawn_from(queue: asyncio.Queue[Event]) -> AsyncGenerator[Event]:
    while True:
        yield await queue.get()


class _Subscription:
    def __init__(self, event_type: str, listener: Listener) -> None:
        self._type = event_type
        self._listener = listener
        self._queue: asyncio.Queue[Event] = asyncio.Queue()
        self.worker: asyncio.Task[None] | None = None

    def offer(self, event: Event) -> None:
        if self._type in {"*", event.type}:
            self._queue.put_nowait(event)
            if self.worker is None or self.worker.done():
                self.worker = asyncio.create_task(self._work(), name=f"listener of {self._type}")

    async def _work(self) -> None:
        while not self._queue.empty():
            event = self._queue.get_nowait()
            try:
                await self._listener(event)
            except Exception:  # the border to code that is not ours
                log.exception("a listener failed at %s", event.type)

    def close(self) -> None:
        if self.worker is not None:
            self.worker.cancel()
