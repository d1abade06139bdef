"""Takes sessions from state to state by compare-and-set, and keeps the history."""

from typing import Any, Final

from sqlalchemy import Executable, String, Table, and_, bindparam, func, insert, select, update

from timber.common.clock import Clock
from timber.common.database.session import TimberSession
from timber.common.documents import closest
from timber.common.errors import GuardError, InvalidStateTransitionError, RecordNotFoundError
from timber.common.persistence.base import prepared
from timber.common.persistence.session_models import SessionModel

_UNSYNCHRONIZED: Final = {"synchronize_session": False}


class Transitions:
    """The steps of sessions, in the transaction of a session of the database."""

    def __init__(self, session: TimberSession, history: type[Any], *, clock: Clock) -> None:
        self._session = session
        self._history = history
        self._clock = clock
        self._dialect = session.get_bind().dialect.name

    def begin(self, sessions: SessionModel, key: Any) -> None:
        """Note the state in which a session has just begun."""
        self._note(sessions, key, None, sessions.states.initial, None)

    def move(
        self,
        sessions: SessionModel,
        key: Any,
        target: str,
        *,
        expected: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Take a session to `target`, from `expected` if that is given.

        Whoever changes the state meanwhile is noticed: the step is then tried from the new one.

        Raises:
            RecordNotFoundError: there is no such session.
            InvalidStateTransitionError: the state machine has no such transition.
            GuardError: a guard forbids it.

        """
        while True:
            source = self._state(sessions, key)
            self._check(sessions, key, source, target, expected)
            if self._swap(sessions, key, source, target):
                return self._note(sessions, key, source, target, reason)
            self._check_guards(sessions, key, source, target)

    def _check_guards(self, sessions: SessionModel, key: Any, source: str, target: str) -> None:
        guards = sessions.guards(source, target, dialect=self._dialect)
        if not guards:
            return
        read = select(and_(*guards)).select_from(sessions.model)
        held = self._session.execute(
            read.where(sessions.key == key, sessions.state == source)
        ).first()
        if held is not None and not held[0]:
            asked = " and ".join(f"`{one}`" for one in sessions.states.conditions(source, target))
            raise GuardError(
                f"{sessions.session_type} session {key!r} goes from {source!r} "
                f"to {target!r} only if {asked}",
                cure="let that be so first",
            )

    def _state(self, sessions: SessionModel, key: Any) -> str:
        state: str | None = self._session.scalar(select(sessions.state).where(sessions.key == key))
        if state is None:
            raise RecordNotFoundError(f"{sessions.session_type} session", key)
        return state

    def _check(
        self, sessions: SessionModel, key: Any, source: str, target: str, expected: str | None
    ) -> None:
        states = sessions.states
        what = f"{sessions.session_type} session {key!r} is {source!r}"
        if target not in states.all:
            hint = closest(target, states.all)
            listed = ", ".join(sorted(states.all))
            raise InvalidStateTransitionError(
                f"no state {target!r}{hint}", cure=f"the states are: {listed}"
            )
        if expected not in {None, source}:
            raise InvalidStateTransitionError(
                f"{what}, not {expected!r}", cure="read it again, and decide anew"
            )
        following = states.transitions.get(source, ())
        if target not in following:
            cure = f"it can become: {', '.join(following)}" if following else "that is final"
            raise InvalidStateTransitionError(f"{what}, and cannot become {target!r}", cure=cure)

    def _swap(self, sessions: SessionModel, key: Any, source: str, target: str) -> bool:
        changed: Any = self._session.execute(
            update(sessions.model)
            .where(sessions.key == key, sessions.state == source)
            .where(*sessions.guards(source, target, dialect=self._dialect))
            .values({sessions.state: target}),
            execution_options=_UNSYNCHRONIZED,
        )
        return bool(changed.rowcount)

    def _note(
        self, sessions: SessionModel, key: Any, source: str | None, target: str, reason: str | None
    ) -> None:
        # The row of the session is locked by its change, so nobody else counts at the same time.
        step = {
            "the_type": sessions.session_type,
            "the_session": str(key),
            "from_state": source,
            "to_state": target,
            "reason": reason,
            "at": self._clock.now(),
        }
        self._session.execute(prepared(self._history.__table__, _insert_step), step)


def _insert_step(table: Table) -> Executable:
    place = {
        "session_type": bindparam("the_type", type_=String()),
        "session_id": bindparam("the_session", type_=String()),
    }
    last = select(func.coalesce(func.max(table.c.number), 0) + 1)
    last = last.where(*(table.c[name] == one for name, one in place.items()))
    names = ("from_state", "to_state", "reason", "at")
    given = {name: bindparam(name, type_=table.c[name].type) for name in names}
    return insert(table).values(**place, **given, number=last.scalar_subquery())
