"""Spares callers the wait for a server that does not answer."""

import threading
from collections.abc import Callable


class CircuitBreaker:
    """After a failure it refuses everything for a while, then lets one caller try."""

    def __init__(self, *, cool_down_seconds: float, timer: Callable[[], float]) -> None:
        self._cool_down_seconds = cool_down_seconds
        self._timer = timer
        self._refuses_until: float | None = None
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Tell whether the caller may try; he must then tell how it went."""
        if self._refuses_until is None:
            return True
        with self._lock:
            now = self._timer()
            if self._refuses_until is not None and now < self._refuses_until:
                return False
            self._refuses_until = now + self._cool_down_seconds
            return True

    def succeeded(self) -> None:
        """Let everybody through."""
        self._refuses_until = None

    def failed(self) -> None:
        """Let nobody through for a while."""
        with self._lock:
            self._refuses_until = self._timer() + self._cool_down_seconds
