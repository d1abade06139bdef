"""The threads in which the transactions of the event loop run."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from timber.common.errors import NotOpenError

Result = TypeVar("Result")

_THREADS: Final = 16
"""How many transactions of async callers are under way at once; more wait their turn."""


class Threads:
    """A number of threads, while they are open."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: set[object] = set()

    @property
    def pending(self) -> int:
        """How many calls wait for a thread."""
        return len(self._waiting)

    def open(self) -> None:
        """Let threads be started as they are needed."""
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="timber")

    def close(self) -> None:
        """Wait for all calls, and end the threads."""
        if self._pool is not None:
            self._pool.shutdown()
        self._pool = None

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns, run off the event loop.

        Raises:
            NotOpenError: the threads are not open.

        """
        if self._pool is None:
            raise NotOpenError
        context = contextvars.copy_context()
        self._waiting.add(ticket := object())

        def begun() -> Result:
            self._waiting.discard(ticket)
            return context.run(work)

        loop = asyncio.get_running_loop()
        return await _finish(loop.run_in_executor(self._pool, begun))


async def _finish(work: "asyncio.Future[Result]") -> Result:
    """Wait for `work` to end, even when the waiting task is cancelled; then say so."""
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        # Asked for, so that asyncio does not report it as never retrieved.
        work.exception()
        raise cancelled
    return work.result()
