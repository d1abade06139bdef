"""Many writes, one commit: who writes while a commit is under way shares the next one.

There is one writer. It takes all that waits, writes it in one transaction, and commits;
meanwhile the next group gathers. Each write is whole or not at all for itself:
a group in which one fails is rolled back and parted, until that one stands alone.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy.orm import Session
from typing_extensions import override

from puppet_engine.core.failpoints import Failpoint
from timber.common.errors import ConstraintError, SerializationError
from timber.common.failpoints import reach

LARGEST_GROUP: Final = 256
"""How many writes share a commit at the most, so that nobody waits long for it."""

A = TypeVar("A")
R = TypeVar("R")

Together = Callable[[Session, Sequence[A]], Sequence[R]]
"""Writes many of one kind at once, and returns a result for each."""


class Database(Protocol):
    """What the writer needs of Timber's database."""

    def session_scope(self) -> contextlib.AbstractContextManager[Session]: ...

    def run_sync(self, work: Callable[[Any], R]) -> R: ...


_ROLLED_BACK: Final = (ConstraintError, SerializationError)
"""Errors of a commit that say for certain that nothing was kept."""


class _Answer(asyncio.Future[Any]):
    """What a write will come to. Who waits for it cannot be cancelled before it is known."""

    @override
    def cancel(self, msg: Any = None) -> bool:
        # A task whose future refuses is cancelled when that future is done.
        return False


@dataclass(frozen=True, slots=True, eq=False)
class _Write:
    together: Together[Any, Any]
    argument: Any
    done: "_Answer"


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Any = None
    error: BaseException | None = None


class GroupCommit:
    """The one writer of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._waiting: deque[_Write] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def write(self, together: Together[A, R], argument: A) -> R:
        """Write, with others; return when it is committed.

        A caller that is cancelled meanwhile is told so only when its write is settled,
        so nothing of it happens behind his back.
        """
        reach(Failpoint.COMMIT_ASKED)
        done = _Answer(loop=asyncio.get_running_loop())
        self._waiting.append(_Write(together, argument, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="group commit")
        result: R = await done
        reach(Failpoint.COMMIT_TOLD)
        return result

    async def close(self) -> None:
        """Commit what waits, and end the writer."""
        while self._writing is not None:
            await asyncio.wait([self._writing])
        self._thread.shutdown()  # it is idle

    # -------------------------------------------------------------- in the event loop

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                # Those who are ready to run may have something to add.
                await asyncio.sleep(0)
                size = min(len(self._waiting), LARGEST_GROUP)
                group = [self._waiting.popleft() for _ in range(size)]
                try:
                    outcomes = await loop.run_in_executor(self._thread, self._commit, group)
                except BaseException as error:  # noqa: BLE001 - handed on to each of the group
                    outcomes = [_Outcome(error=error)] * size
                _tell(group, outcomes)
        finally:
            self._writing = None

    # -------------------------------------------------------------- in the writer's thread

    def _commit(self, group: Sequence[_Write]) -> list[_Outcome]:
        if len(group) == 1:
            return [self._commit_alone(group[0])]
        flushed = False
        try:
            with self._database.session_scope() as session:
                outcomes = _write_together(session, group)
                flushed = True
                reach(Failpoint.COMMIT_FLUSHED)
        except Exception as error:  # noqa: BLE001 - handed on to whom it belongs to
            if flushed and not isinstance(error, _ROLLED_BACK):
                # Whether the commit came about is unknown: nothing may be written again.
                return [_Outcome(error=error)] * len(group)
            half = len(group) // 2
            return self._commit(group[:half]) + self._commit(group[half:])
        reach(Failpoint.COMMIT_DURABLE)
        return outcomes

    def _commit_alone(self, write: _Write) -> _Outcome:
        def work(session: Session) -> Any:
            (outcome,) = _write_together(session, [write])
            reach(Failpoint.COMMIT_FLUSHED)
            return outcome

        try:
            outcome: _Outcome = self._database.run_sync(work)
        except Exception as error:  # noqa: BLE001 - handed on to its caller
            return _Outcome(error=error)
        reach(Failpoint.COMMIT_DURABLE)
        return outcome


def one_by_one(session: Session, works: Sequence[Callable[[Session], Any]]) -> list[Any]:
    """Do works of which nothing is known, one after the other; none sees another's objects."""
    results = []
    for work in works:
        results.append(work(session))
        session.flush()
        session.expunge_all()
    return results


def _write_together(session: Session, group: Sequence[_Write]) -> list[_Outcome]:
    """Write a group, all of one kind at once, and each kind in the order of its writes."""
    kinds: dict[Together[Any, Any], list[int]] = {}
    for place, write in enumerate(group):
        kinds.setdefault(write.together, []).append(place)
    outcomes: dict[int, _Outcome] = {}
    for together, places in kinds.items():
        results = together(session, [group[place].argument for place in places])
        outcomes |= zip(places, map(_Outcome, results), strict=True)
    session.flush()
    return [outcomes[place] for place in range(len(group))]


def _tell(group: Sequence[_Write], outcomes: Sequence[_Outcome]) -> None:
    for write, outcome in zip(group, outcomes, strict=True):
        if outcome.error is None:
            write.done.set_result(outcome.result)
        else:
            write.done.set_exception(outcome.error)
            write.done.exception()  # who was cancelled meanwhile does not ask for it
