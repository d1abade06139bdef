"""One transaction around a whole test, which every session joins and nothing outlives.

Each session is a savepoint of the outer transaction, so what the code under test commits is
seen by every other session of the test, and is gone when the outer transaction is rolled back.
Savepoints of one connection nest: the last to begin must be the first to end.
So sessions take turns. One that is opened by the thread or task that holds the turn nests in
the session before it; others wait until that has ended. The session of the test itself is the
ground on which the others stand: nobody waits for it to end.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker
from typing_extensions import override

from timber.common.database.service import DatabaseService
from timber.common.errors import TimberError

PATIENCE_SECONDS: Final = 10.0
"""How long a session waits for those of other threads and tasks to end."""


class IsolationError(TimberError, RuntimeError):
    """The sessions of one test, which share one transaction, are in each other's way."""


@contextlib.contextmanager
def isolated(
    database: DatabaseService, *, patience_seconds: float = PATIENCE_SECONDS
) -> Generator["Isolation"]:
    """Let every session of the block join one transaction, and roll that back in the end."""
    with database.engine.connect() as connection:
        outer = connection.begin()
        isolation = Isolation(connection, patience_seconds=patience_seconds)
        try:
            with database.sessions_made_by(isolation.make_session):
                yield isolation
        finally:
            outer.rollback()


class Isolation:
    """The outer transaction, and whose turn it is."""

    def __init__(self, connection: Connection, *, patience_seconds: float) -> None:
        self._connection = connection
        self._turns = _Turns(patience_seconds)
        self._kind: type[_TakesTurns] | None = None

    def make_session(self, sessions: sessionmaker[Session]) -> Session:
        """Return a session that joins the outer transaction as a savepoint."""
        if self._kind is None:
            # Below the sessionmaker's own class, whose listeners it inherits.
            made = type("IsolatedSession", (_TakesTurns, sessions.class_), {})
            self._kind = cast("type[_TakesTurns]", made)
        return self._kind(
            turns=self._turns,
            **{**sessions.kw, "bind": self._connection},
            join_transaction_mode="create_savepoint",
        )

    def be_ground(self, session: Session) -> None:
        """Let others begin on top of `session`, whatever thread they are of."""
        self._turns.ground = session


class _TakesTurns(Session):
    def __init__(self, *, turns: "_Turns", **options: Any) -> None:
        super().__init__(**options)
        self.turns = turns
        self.flow = _flow()

    @override
    def get_bind(self, *arguments: Any, **options: Any) -> Any:
        # Called before every use of the connection, in the thread that uses it.
        self.turns.enter(self, self.flow)
        return super().get_bind(*arguments, **options)

    @override
    def commit(self) -> None:
        self.turns.before_end(self, self.flow)
        super().commit()

    @override
    def rollback(self) -> None:
        self.turns.before_end(self, self.flow)
        super().rollback()

    @override
    def close(self) -> None:
        self.turns.before_end(self, self.flow)
        super().close()


@event.listens_for(_TakesTurns, "after_transaction_end")
def _give_turn_back(session: _TakesTurns, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.turns.leave(session)


@dataclass(frozen=True)
class _Turn:
    session: Session
    flow: object


class _Turns:
    """The sessions with a savepoint, the last on top."""

    def __init__(self, patience_seconds: float) -> None:
        self.ground: Session | None = None
        self._patience_seconds = patience_seconds
        self._stack: list[_Turn] = []
        self._changed = threading.Condition()

    def enter(self, session: Session, flow: object) -> None:
        """Wait until the session may use the connection; the first time, it goes on top."""
        flows = {flow, _flow()}
        with self._changed:
            known = any(turn.session is session for turn in self._stack)
            self._wait(lambda: self._is_free_for(session, flows, known=known))
            if not known:
                self._stack.append(_Turn(session, flow))

    def before_end(self, session: Session, flow: object) -> None:
        """Wait until the session is on top, if it has begun."""
        flows = {flow, _flow()}
        with self._changed:
            if all(turn.session is not session for turn in self._stack):
                return
            top = self._stack[-1]
            if top.session is not session and top.flow in flows:
                raise IsolationError(
                    "a session was to end before one that began after it: the sessions of a test "
                    "share one transaction, so end them in the reverse order, or mark the test "
                    "with `@pytest.mark.real_commits`"
                )
            self._wait(lambda: self._stack[-1].session is session)

    def leave(self, session: Session) -> None:
        """Take a session whose transaction has ended off the stack."""
        with self._changed:
            self._stack = [turn for turn in self._stack if turn.session is not session]
            self._changed.notify_all()

    def _is_free_for(self, session: Session, flows: set[object], *, known: bool) -> bool:
        if not self._stack:
            return True
        top = self._stack[-1]
        if top.session is session or top.flow in flows:
            return True
        return not known and top.session is self.ground

    def _wait(self, condition: Callable[[], bool]) -> None:
        if not self._changed.wait_for(condition, timeout=self._patience_seconds):
            raise IsolationError(
                f"a session has waited {self._patience_seconds:g} s for one of another thread or "
                "task to end: the sessions of a test share one transaction, so end each before "
                "waiting for work that opens another, or mark the test with "
                "`@pytest.mark.real_commits`"
            )


def _flow() -> object:
    """Return what runs here, one step after the other: a task of asyncio, or a thread."""
    with contextlib.suppress(RuntimeError):  # no event loop runs in this thread
        if (task := asyncio.current_task()) is not None:
            return task
    return threading.get_ident()
