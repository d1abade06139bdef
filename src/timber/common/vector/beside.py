"""A thread that does a part of what another one waits for."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context


class Beside:
    """A thread for long computations, which is there from the first one on until `close`.

    Python lets it compute while another thread waits for a database, or computes in C itself.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def close(self) -> None:
        """Wait until nothing is under way, and end the thread."""
        with self._guard:
            if self._pool is not None:
                self._pool.shutdown()
            self._pool = None

    def begin(self, work: Callable[[], None]) -> Callable[[], bool]:
        """Have work done.

        Returns what waits for it, and tells whether it was done: never, where the thread has not
        come to it by then. So nobody waits for what else the thread is at. Raises whatever the
        work raises.
        """
        with self._guard:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="timber-beside")
            begun = self._pool.submit(copy_context().run, work)

        def ended() -> bool:
            if begun.cancel():
                return False
            try:
                begun.result()
            finally:
                wait([begun])  # also where its caller was interrupted: it may use what is theirs
            return True

        return ended
