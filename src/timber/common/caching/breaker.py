"""Spares callers the wait for a server that does not answer."""

import threading
from collections.abc import Callable


class CircuitBreaker:
    """After a failure it refuses everything for a while, then lets one caller try."""

    def __init__(self, *, cool_down_seconds: float, timer: Callable[[], float]) -> None:
        self._cool_down_seconds = cool_down_seconds
        self._timer = timer
        self._has_failed = False
        self._refuses_until = 0.0
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Tell whether the caller may try; he must then tell how it went."""
        if not self._has_failed:
            return True
        with self._lock:
            now = self._timer()
            if now < self._refuses_until:
                return False
            self._refuses_until = now + self._cool_down_seconds
            return True

    def succeeded(self) -> None:
        """Let everybody through."""
        self._has_failed = False

    def failed(self) -> None:
        """Let nobody through for a while."""
        with self._lock:
            self._has_failed = True
            self._refuses_until = self._timer() + self._cool_down_seconds
