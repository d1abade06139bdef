"""What goes wrong, when: all of it drawn from the seed."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from puppet_engine.core.clock import VirtualClock
from puppet_engine.simulation.scenario import FIRST_MOMENT, FaultKind, Scenario

STEPS_TO_A_CRASH: Final = 60
"""A crash comes up to so many steps after its moment, so that it finds any work half done."""

AGAIN: Final = 0.25
"""How often an engine that comes back crashes once more on its way."""

LONGEST_JUMP_HOURS: Final = 6
LONGEST_WRITE_SECONDS: Final = 30

REACHED: Final = 0.5
"""How often a call that hangs has reached its server."""


class SimulatedCrash(BaseException):
    """The process has ended here. As with a kill, nothing after this line takes place."""


class Fate:
    """Lets things go wrong. The same scenario has the same fate."""

    def __init__(self, scenario: Scenario, *, clock: VirtualClock) -> None:
        self.counts: Counter[FaultKind] = Counter()
        """What has gone wrong so far, by kind."""
        self._scenario = scenario
        self._faults = scenario.faults
        self._clock = clock
        self._chances = {
            kind: random.Random(f"{scenario.seed}:{kind}")  # noqa: S311 - bad luck, no secret
            for kind in FaultKind
        }
        self._crashes = self._moments(FaultKind.CRASHES)
        self._jumps = self._moments(FaultKind.CLOCK_JUMPS)
        self._steps_left: int | None = None
        self._is_down = False

    def _moments(self, kind: FaultKind) -> list[datetime]:
        """Draw when things of a kind happen; the first one is the last of the list."""
        count = round(self._scenario.faults.get(kind, 0) * self._scenario.days)
        span = timedelta(days=self._scenario.days)
        chance = self._chances[kind]
        return sorted((FIRST_MOMENT + span * chance.random() for _ in range(count)), reverse=True)

    # -------------------------------------------------------------- crashes

    def step(self) -> None:
        """Pass a line at which the process may end; end it when the time has come."""
        if self._is_down:
            raise SimulatedCrash
        if self._steps_left is None:
            if not self._crashes or self._clock.now() < self._crashes[-1]:
                return
            self._crashes.pop()
            self._steps_left = self._chances[FaultKind.CRASHES].randrange(STEPS_TO_A_CRASH)
        self._steps_left -= 1
        if self._steps_left < 0:
            self._steps_left = None
            self._is_down = True
            self.counts[FaultKind.CRASHES] += 1
            raise SimulatedCrash

    def revive(self) -> None:
        """Let a new process begin. It may crash on its way already."""
        self._is_down = False
        chance = self._chances[FaultKind.CRASHES]
        if chance.random() < AGAIN:
            self._steps_left = chance.randrange(STEPS_TO_A_CRASH)

    # -------------------------------------------------------------- the rest

    @property
    def next_jump(self) -> datetime | None:
        """When the clock jumps next; None when it will not."""
        return self._jumps[-1] if self._jumps else None

    def jump_if_due(self) -> None:
        """Set the clock forward or back, when it is time for it."""
        if self._jumps and self._clock.now() >= self._jumps[-1]:
            self._jumps.pop()
            chance = self._chances[FaultKind.CLOCK_JUMPS]
            hours = chance.uniform(0.5, LONGEST_JUMP_HOURS) * chance.choice((-1, 1))
            self._clock.advance(timedelta(hours=hours))
            self.counts[FaultKind.CLOCK_JUMPS] += 1

    def write(self) -> None:
        """Let a transaction take its time."""
        if self._happens(FaultKind.SLOW_DISK):
            seconds = self._chances[FaultKind.SLOW_DISK].uniform(0.5, LONGEST_WRITE_SECONDS)
            self._clock.advance(timedelta(seconds=seconds))

    def loses_reply(self) -> bool:
        """Say whether an answer is lost on its way."""
        return self._happens(FaultKind.LOST_REPLIES)

    def hangs(self) -> bool:
        """Say whether a call gets no answer before its client gives it up."""
        return self._happens(FaultKind.HANGING_CALLS)

    def reaches(self) -> bool:
        """Say whether a call that hangs reaches its server all the same."""
        return self._chances[FaultKind.HANGING_CALLS].random() < REACHED

    def wait(self, span: timedelta) -> None:
        """Let time pass, for everybody, while somebody waits in vain."""
        self._clock.advance(span)

    def _happens(self, kind: FaultKind) -> bool:
        if not self._faults:  # asked at each transaction, and to look a kind up takes a while
            return False
        share = self._faults.get(kind)
        if share is None or self._chances[kind].random() >= share:
            return False
        self.counts[kind] += 1
        return True
