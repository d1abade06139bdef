"""Lets one thread do what several are about to do."""

import contextlib
import threading
from collections.abc import Generator, Hashable


class Flights:
    """Work under way in this process, by key."""

    def __init__(self, *, patience_seconds: float) -> None:
        # Whoever does the work may wait for a connection that those who wait here hold.
        self._patience_seconds = patience_seconds
        self._under_way: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def joined(self, key: Hashable) -> Generator[bool]:
        """Tell whether the block is the first with this key; wait for the first if it is not."""
        with self._lock:
            landed = self._under_way.get(key)
            is_first = landed is None
            if landed is None:
                landed = self._under_way[key] = threading.Event()
        if not is_first:
            landed.wait(self._patience_seconds)
            yield False
            return
        try:
            yield True
        finally:
            with self._lock:
                del self._under_way[key]
            landed.set()
