"""Looking through vectors before the database has told which of them count.

What is in memory is nearly always what the database holds: so two threads can begin at once, one
to ask and one to compare. What has changed is compared afterwards, and a block that is another
one by then is compared anew.
"""

import os
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from typing_extensions import override

from timber.common.vector.base import Ahead, Answer
from timber.common.vector.beside import Beside
from timber.common.vector.exact_search import screenings
from timber.common.vector.matrix import Block, Matrix
from timber.common.vector.quantisation import Floats
from timber.common.vector.screening import Screening

NOTHING: Final[Mapping[Block, Screening]] = MappingProxyType({})


class LookedThrough(Ahead):
    """The large blocks of a matrix, or what of them has been looked through."""

    def __init__(self, matrix: Matrix, vector: Floats, *, limit: int, beside: Beside) -> None:
        is_fit = matrix.dimension == len(vector)
        self._screened = screenings(matrix.blocks, vector, limit=limit) if is_fit else NOTHING
        self._thread = beside

    @property
    def screened(self) -> Mapping[Block, Screening]:
        """What was looked through, all of it, when what is asked was answered."""
        return self._screened

    def _work(self, pause: Callable[[], None] | None = None) -> None:
        for one in self._screened.values():
            one.work(pause)

    @override
    def stop(self) -> None:
        """Look through no more: nothing of it is of use."""
        for one in self._screened.values():
            one.stop()


class ComparingBeside(LookedThrough):
    """Compares in another thread, and in the caller's, too, when that has been answered.

    For a database that computes what it is asked in the thread that asks.
    """

    @override
    def beside(self, ask: Callable[[], Answer]) -> Answer:
        if not self._screened:
            return ask()
        ended = self._thread.begin(self._work)
        try:
            answer = ask()
            self._work()
        except BaseException:
            self.stop()
            raise
        finally:
            ended()
        return answer


class AskingBeside(LookedThrough):
    """Asks in another thread, which compares, too, when it was answered.

    For a database with a server: so there are never more than two at work. One that asks and goes
    on to compare would be in the server's way: Linux takes it to be about to sleep, and lets the
    server work on its core. It may do so all the same, so after each slice the server gets its
    turn there; else it would wait for some milliseconds.
    """

    @override
    def beside(self, ask: Callable[[], Answer]) -> Answer:
        if not self._screened:
            return ask()
        answers: list[Answer] = []

        def asking() -> None:
            try:
                answers.append(ask())
            except BaseException:
                self.stop()
                raise
            self._work()

        ended = self._thread.begin(asking)
        try:
            self._work(pause=_let_others)
        finally:
            is_answered = ended()
        if not is_answered:
            asking()
        return answers[0]


def _let_others() -> None:
    """Let whoever waits for this core have it first."""
    if sys.platform != "win32":
        os.sched_yield()


def screened_by(ahead: Ahead) -> Mapping[Block, Screening]:
    """Return what was looked through before."""
    return ahead.screened if isinstance(ahead, LookedThrough) else NOTHING
