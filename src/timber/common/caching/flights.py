"""Lets one thread do what several are about to do."""

import threading
from collections.abc import Hashable
from types import TracebackType


class Flights:
    """Work under way in this process, by key."""

    def __init__(self, *, patience_seconds: float) -> None:
        # Whoever does the work may wait for a connection that those who wait here hold.
        self._patience_seconds = patience_seconds
        self._under_way: dict[Hashable, threading.Lock] = {}

    def joined(self, key: Hashable) -> "_Flight":
        """Tell whether the block is the first with this key; wait for the first if it is not."""
        return _Flight(key, self._under_way, self._patience_seconds)


class _Flight:
    """A class, for each read of the shared cache is in one and a generator costs more."""

    __slots__ = ("_key", "_landed", "_patience_seconds", "_under_way")

    def __init__(
        self, key: Hashable, under_way: dict[Hashable, threading.Lock], patience_seconds: float
    ) -> None:
        self._key = key
        self._under_way = under_way
        self._patience_seconds = patience_seconds
        self._landed: threading.Lock | None = None

    def __enter__(self) -> bool:
        landed = threading.Lock()
        landed.acquire()
        first = self._under_way.setdefault(self._key, landed)  # one step, even of many threads
        if first is landed:
            self._landed = landed
            return True
        if first.acquire(timeout=self._patience_seconds):
            first.release()  # for the others who wait
        return False

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._landed is not None:
            del self._under_way[self._key]
            self._landed.release()
