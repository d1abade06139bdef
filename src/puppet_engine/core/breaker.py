"""Leaves a network alone that fails for everybody.

Source: M. Nygard, "Release It!", 2nd ed. 2018, chapter 5 (circuit breaker).
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import CircuitOpenError
from puppet_engine.core.models import Noun

PROBE_SPAN: Final = timedelta(seconds=15)
"""When those who wait for somebody else's probe ask again."""


class BreakerState(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    """They do."""
    OPEN = "open"
    """They do not, for a while."""
    HALF_OPEN = "half_open"
    """One does, to see whether the network answers again."""


class BreakerReading(Noun):
    """How a network does."""

    network: str
    state: BreakerState
    failures: int
    """How often in a row no answer came."""
    opens_at: AwareDatetime | None
    """When the next probe may go; None while calls go through."""


class CircuitBreaker:
    """Opens after `threshold` failures in a row; the pause doubles with each vain probe."""

    def __init__(
        self,
        network: str,
        *,
        clock: Clock,
        threshold: int = 5,
        pause: timedelta = timedelta(minutes=1),
        longest: timedelta = timedelta(minutes=15),
    ) -> None:
        self.network = network
        self.state = BreakerState.CLOSED
        self.failures = 0
        """How often in a row no answer came."""
        self._clock = clock
        self._threshold = threshold
        self._first_pause = self._pause = pause
        self._longest = longest
        self.opens_at: datetime | None = None
        """When the next probe may go; None while it is closed."""

    def read(self) -> BreakerReading:
        """Return how the network does."""
        return BreakerReading(
            network=self.network,
            state=self.state,
            failures=self.failures,
            opens_at=self.opens_at,
        )

    def admit(self) -> None:
        """Let one call through; who is let through says `succeed`, `fail` or `withdraw` after it.

        Raises:
            CircuitOpenError: the network is left alone.

        """
        now = self._clock.now()
        if self.opens_at is not None and now < self.opens_at:
            raise CircuitOpenError(self.network, resets_at=self.opens_at)
        if self.state is BreakerState.HALF_OPEN:
            raise CircuitOpenError(self.network, resets_at=now + PROBE_SPAN)
        if self.state is BreakerState.OPEN:
            self.state = BreakerState.HALF_OPEN

    def succeed(self) -> None:
        """Note that the network answered, be it with no."""
        self.state, self.failures, self.opens_at = BreakerState.CLOSED, 0, None
        self._pause = self._first_pause

    def fail(self) -> None:
        """Note that the network did not answer."""
        self.failures += 1
        if self.state is BreakerState.HALF_OPEN:
            self._pause = min(self._pause * 2, self._longest)
        elif self.failures < self._threshold:
            return
        self.state, self.opens_at = BreakerState.OPEN, self._clock.now() + self._pause

    def withdraw(self) -> None:
        """Note that the call was not made after all."""
        if self.state is BreakerState.HALF_OPEN:
            self.state = BreakerState.OPEN
