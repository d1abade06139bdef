"""Time, as it is handed to everything that needs it."""

from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from typing import Protocol

from typing_extensions import override


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

    def held(self) -> AbstractContextManager[None]:
        """Hold the clock for a block; a block inside another one changes nothing."""
        return _Hold(self._held)


class _Hold(AbstractContextManager[None]):
    """Holds a clock for a block. A class, for each flush has one and a generator costs more."""

    __slots__ = ("_held", "_token")

    def __init__(self, held: ContextVar[list[datetime] | None]) -> None:
        self._held = held
        self._token: Token[list[datetime] | None] | None = None

    @override
    def __enter__(self) -> None:
        if self._held.get() is None:
            self._token = self._held.set([])

    @override
    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            self._held.reset(self._token)
