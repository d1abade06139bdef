"""Time, as it is handed to everything that needs it."""

import contextlib
from collections.abc import Generator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the one place that may ask


class SteadyClock:
    """A clock that can be held: what is written together then bears one moment.

    Each thread and each task holds it for itself.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: ContextVar[list[datetime] | None] = ContextVar("held", default=None)

    def now(self) -> datetime:
        """Return the present moment, or the first that was asked for since it is held."""
        held = self._held.get()
        if held is None:
            return self._clock.now()
        if not held:
            held.append(self._clock.now())
        return held[0]

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """Hold the clock for a block; a block inside another one changes nothing."""
        if self._held.get() is not None:
            yield
            return
        token = self._held.set([])
        try:
            yield
        finally:
            self._held.reset(token)
