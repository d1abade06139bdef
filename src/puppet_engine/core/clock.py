"""Time, as it is handed to everything that needs it.

The engine never asks the machine what time it is.
It asks a `Clock`, so a month can pass in a minute and a test can stop the sun.
"""

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Final

from typing_extensions import override

_NOTHING: Final = contextlib.nullcontext()


class Clock(ABC):
    """Tells the time and waits for it."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the present moment, timezone-aware, in UTC."""

    @abstractmethod
    async def wait_until(self, due: datetime) -> None:
        """Return when `now()` has reached `due`; at once when it already has."""

    def real_time_until(self, moment: datetime) -> timedelta:
        """Return how long a wait for a moment takes on the wall; nothing when it has passed."""
        return max(moment - self.now(), timedelta(0))

    def in_flight(self) -> AbstractContextManager[None]:
        """Mark work under way. A virtual clock stands still as long as any is."""
        return _NOTHING


class SystemClock(Clock):
    """The machine's own time."""

    @override
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - this is the one place that may ask

    @override
    async def wait_until(self, due: datetime) -> None:
        # asyncio sleeps on the monotonic clock: look again, lest the wall clock is set meanwhile.
        while (left := (due - self.now()).total_seconds()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, 60))


class PacedClock(Clock):
    """A time that passes `pace` times as fast as the machine's, and never stands still.

    It is a function of the machine's time alone,
    so that all who have the same beginning and pace have the same time.
    """

    def __init__(self, wall: Clock, *, pace: float) -> None:
        _check(pace)
        self._wall = wall
        self._wall_began = self._began = wall.now()
        self._pace = pace

    @property
    def pace(self) -> float:
        """Seconds of this clock per second of the machine's."""
        return self._pace

    @property
    def beginning(self) -> tuple[datetime, datetime]:
        """The moment of the machine's time at which this time began, and that of its own."""
        return self._wall_began, self._began

    def begin_at(self, wall: datetime, moment: datetime) -> None:
        """Let it have been `moment` here when the machine's time was `wall`."""
        self._wall_began, self._began = wall, moment

    @override
    def now(self) -> datetime:
        return self._began + (self._wall.now() - self._wall_began) * self._pace

    @override
    def real_time_until(self, moment: datetime) -> timedelta:
        return super().real_time_until(moment) / self._pace

    @override
    async def wait_until(self, due: datetime) -> None:
        while (left := self.real_time_until(due)) > timedelta(0):
            await self._wall.wait_until(self._wall.now() + left)


class VirtualClock(Clock):
    """A time of its own, which passes only while somebody waits and nothing is in flight.

    `factor` says how many virtual seconds pass in one real second of waiting;
    with `inf` a wait takes no real time at all.
    Between waits the clock stands still, so work costs no virtual time however slow the machine.
    """

    def __init__(self, start: datetime, *, factor: float = inf) -> None:
        _check(factor)
        self._now = start
        self._factor = factor
        self._wait_began: float | None = None
        self._due = start
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def factor(self) -> float:
        """Virtual seconds per real second of waiting."""
        return self._factor

    @factor.setter
    def factor(self, factor: float) -> None:
        _check(factor)
        self._settle()
        self._factor = factor

    @override
    def now(self) -> datetime:
        if self._wait_began is None:
            return self._now
        passed = timedelta(seconds=(time.monotonic() - self._wait_began) * self._factor)
        return min(self._now + passed, self._due)

    def advance(self, span: timedelta) -> None:
        """Move the clock by hand, for those who stand in for time."""
        self.set(self.now() + span)

    def set(self, moment: datetime) -> None:
        """Set the clock: to where an earlier process left it, for one."""
        self._settle()
        self._now = moment

    @override
    async def wait_until(self, due: datetime) -> None:
        while self.now() < due:
            if self._busy:
                # Look again after it: other work may have begun, or the clock have been set.
                await self._idle.wait()
            else:
                await self._pass_towards(due)

    async def _pass_towards(self, due: datetime) -> None:
        if self._factor == inf:
            self._now = due
            return
        self._due = due
        self._wait_began = time.monotonic()
        try:
            # Short naps, so that a changed factor or work that begins meanwhile is seen.
            await asyncio.sleep(min((due - self._now).total_seconds() / self._factor, 0.05))
        finally:
            self._settle()

    def _settle(self) -> None:
        self._now = self.now()
        self._wait_began = None

    @override
    @contextlib.contextmanager
    def in_flight(self) -> Generator[None]:
        self._settle()
        self._busy += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()


def _check(factor: float) -> None:
    if not factor > 0:
        raise ValueError(f"a clock cannot run {factor!r} times as fast as time: give more than 0")
