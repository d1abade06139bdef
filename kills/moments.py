"""Where a life was when it was killed: counters that outlive the process that counts.

They lie in memory that a parent shares with its child. Each is written by one thread only,
and is read when the child is dead, so that no kill can spoil one.
"""

import mmap
from dataclasses import dataclass
from typing import Final

from puppet_engine.core.failpoints import Failpoint

_POINTS: Final = tuple(Failpoint)
_BEGUN: Final = len(_POINTS)
_OVER: Final = _BEGUN + 1
_ALIVE: Final = _BEGUN + 2
_SLOTS: Final = _BEGUN + 3
_WIDTH: Final = 8


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What a process had done, and was doing, when it ended."""

    was_alive: bool
    """Whether it had come so far as to take turns."""
    turns_begun: int
    turns_over: int
    passed: dict[str, int]
    """How often each failpoint was passed."""

    def phases(self) -> list[str]:
        """Return what was under way; several things at once are, of several agents."""
        if not self.was_alive:
            return ["starting"]
        passed = self.passed
        found = {
            "in a turn": self.turns_begun > self.turns_over,
            "waiting for a commit": passed[Failpoint.COMMIT_ASKED] > passed[Failpoint.COMMIT_TOLD],
            "written, not committed": passed[Failpoint.COMMIT_FLUSHED]
            > passed[Failpoint.COMMIT_DURABLE],
        }
        return [phase for phase, holds in found.items() if holds] or ["idle"]


class Moments:
    """The counters of one life after the other."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SLOTS * _WIDTH)
        self._slots = memoryview(self._memory).cast("Q")

    def begin_anew(self) -> None:
        """Set everything to nothing, before a life begins."""
        for slot in range(_SLOTS):
            self._slots[slot] = 0

    def alive(self) -> None:
        """Note that turns are taken from now on."""
        self._slots[_ALIVE] = 1

    def begin_turn(self) -> None:
        """Note that a turn has begun."""
        self._slots[_BEGUN] += 1

    def end_turn(self) -> int:
        """Note that a turn is over, however it ended; return how many are."""
        self._slots[_OVER] += 1
        return self._slots[_OVER]

    def passed(self, point: Failpoint) -> None:
        """Note that a failpoint was passed."""
        self._slots[_POINTS.index(point)] += 1

    def read(self) -> Moment:
        """Return what was counted; of a process that has ended."""
        return Moment(
            was_alive=bool(self._slots[_ALIVE]),
            turns_begun=self._slots[_BEGUN],
            turns_over=self._slots[_OVER],
            passed={point.value: self._slots[number] for number, point in enumerate(_POINTS)},
        )
