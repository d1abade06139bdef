"""Sessions: rows with a state machine, which their model file declares."""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import inspect, select
from sqlalchemy.orm.attributes import flag_modified

from timber.common.clock import Clock
from timber.common.database.session import TimberSession
from timber.common.documents import closest
from timber.common.errors import (
    GuardError,
    InvalidRequestError,
    InvalidStateTransitionError,
    RecordNotFoundError,
    UnknownColumnError,
)
from timber.common.modeling.registry import ModelRegistry
from timber.common.persistence.base import Read, Service, Transact, latest
from timber.common.persistence.idempotency import Idempotency
from timber.common.persistence.merging import merged
from timber.common.persistence.pages import Page
from timber.common.persistence.session_lists import newest_first, page_of_sessions
from timber.common.persistence.session_models import SessionModel, SessionModels
from timber.common.persistence.transitions import Transitions

_EXPIRED_AT_ONCE: Final = 500


class SessionService(Service):
    """Creates, reads, changes and ends sessions.

    A type of sessions is a model with a `session_type`, `states` and a column `user_id`;
    `config` and `data` are kept in columns of those names.
    What is returned can be read when the transaction is over: relationships of the session
    are loaded with it, those of what they lead to are not.
    """

    def __init__(
        self,
        *,
        transact: Transact,
        read: Read,
        models: ModelRegistry,
        clock: Clock,
        idempotency: Idempotency,
    ) -> None:
        super().__init__(transact=transact, read=read, models=models, clock=clock)
        self._types = SessionModels(models)
        self._idempotency = idempotency

    def create_session(
        self,
        session_type: str,
        user_id: str,
        initial_state: str | None = None,
        config: Mapping[str, Any] | None = None,
        *,
        data: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        **columns: Any,
    ) -> Any:
        """Store a session in its initial state, and return its key.

        `columns` are those of the model, by name.

        Raises:
            UserNotFoundError: there is no such user.
            SessionTypeError: no model has this `session_type`.
            InvalidStateTransitionError: `initial_state` is not the initial state.
            UnknownColumnError: the model lacks a column.
            IdempotencyConflictError: the key was used for another session.

        """
        sessions = self._types.get(session_type)
        if initial_state not in {None, sessions.states.initial}:
            raise InvalidStateTransitionError(
                f"a {session_type} session cannot begin as {initial_state!r}",
                cure=f"it begins as {sessions.states.initial!r}",
            )
        given = {"config": config, "data": data}
        values = {name: one for name, one in given.items() if one is not None} | columns
        _check_columns(sessions, values)

        def create(session: TimberSession) -> Any:
            row = sessions.model(user_id=user_id, **values)
            setattr(row, sessions.states.column, sessions.states.initial)
            session.add(row)
            session.flush()
            key = inspect(row).identity[0]
            self._steps(session).begin(sessions, key)
            return key

        def work(session: TimberSession) -> Any:
            self._require_user(session, user_id)
            return self._idempotency.once(
                session,
                lambda: create(session),
                user_id=user_id,
                operation=f"create_session {session_type}",
                key=idempotency_key,
                request=values,
                restore=sessions.restore_key,
            )

        return self._transact(work)

    def get_session(self, session_id: Any, session_type: str) -> Any:
        """Return a session, with what its relationships lead to.

        Raises:
            SessionTypeError: no model has this `session_type`.
            RecordNotFoundError: there is no such session, or it was deleted.

        """
        sessions = self._types.get(session_type)
        if sessions.related:
            return self._transact(lambda session: _read(session, sessions, session_id))
        return self._one(sessions.model, session_id, kind=f"{session_type} session")

    def transition_state(
        self,
        session_id: Any,
        session_type: str,
        new_state: str,
        *,
        expected_state: str | None = None,
        reason: str | None = None,
    ) -> bool:
        """Take a session to another state, and return True.

        With `expected_state` it goes from that state, or not at all.

        Raises:
            SessionTypeError: no model has this `session_type`.
            RecordNotFoundError: there is no such session.
            InvalidStateTransitionError: its state machine has no such transition.
            GuardError: a guard of the transition does not hold.

        """
        return self.update_session(
            session_id, session_type, state=new_state, expected_state=expected_state, reason=reason
        )

    def update_session_data(
        self, session_id: Any, session_type: str, data: Mapping[str, Any]
    ) -> bool:
        """Merge `data` into that of a session, as JSON Merge Patch says, and return True.

        Objects are merged to any depth, null takes a key away, lists are replaced.
        Of two merges at once both count, one after the other.

        Raises:
            SessionTypeError: no model has this `session_type`.
            RecordNotFoundError: there is no such session.
            InvalidRequestError: `data` is no mapping.

        """
        return self.update_session(session_id, session_type, data=data)

    def update_session(
        self,
        session_id: Any,
        session_type: str,
        *,
        state: str | None = None,
        data: Mapping[str, Any] | None = None,
        expected_state: str | None = None,
        reason: str | None = None,
    ) -> bool:
        """Merge `data`, then go to `state`: both, or neither; return True.

        Raises as `update_session_data` and `transition_state` do.
        """
        sessions = self._types.get(session_type)
        if data is not None:
            _check_data(sessions, data)

        def work(session: TimberSession) -> bool:
            if data is not None:
                _merge(session, sessions, session_id, data)
            if state is not None:
                steps = self._steps(session)
                steps.move(sessions, session_id, state, expected=expected_state, reason=reason)
                _refresh(session, sessions, session_id)
            return True

        return self._transact(work)

    def list_sessions(
        self,
        session_type: str,
        *,
        user_id: str | None = None,
        state: str | Collection[str] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Any]:
        """Return a page of sessions, the newest first.

        Raises:
            SessionTypeError: no model has this `session_type`.
            InvalidRequestError: the cursor is none, or the limit is not from 1 to 10,000.

        """
        sessions = self._types.get(session_type)
        statement = newest_first(sessions, limit=limit, cursor=cursor)
        if user_id is not None:
            statement = statement.where(sessions.model.user_id == user_id)
        if state is not None:
            states = (state,) if isinstance(state, str) else tuple(state)
            statement = statement.where(sessions.state.in_(states))
        return self._transact(
            lambda session: page_of_sessions(_rows(session, sessions, statement), sessions, limit)
        )

    def find_sessions(
        self, session_type: str, *, limit: int = 50, **columns: Any
    ) -> Sequence[Any]:
        """Return sessions whose columns have these values, the newest first.

        Raises:
            SessionTypeError: no model has this `session_type`.
            UnknownColumnError: the model lacks a column.

        """
        sessions = self._types.get(session_type)
        _check_columns(sessions, columns)
        statement = newest_first(sessions, limit=limit).limit(limit)
        for name, one in columns.items():
            statement = statement.where(getattr(sessions.model, name) == one)
        return self._transact(lambda session: _rows(session, sessions, statement))

    def get_history(self, session_id: Any, session_type: str) -> Sequence[Any]:
        """Return the steps of a session, the first one first.

        Raises:
            SessionTypeError: no model has this `session_type`.

        """
        sessions = self._types.get(session_type)
        model = self._model("StateTransition")
        statement = (
            select(model)
            .where(model.session_type == sessions.session_type)
            .where(model.session_id == str(session_id))
            .order_by(model.number)
        )
        return self._transact(lambda session: session.scalars(statement).all())

    def expire_sessions(
        self, session_type: str, *, idle_for: timedelta | None = None, state: str | None = None
    ) -> int:
        """End the sessions that were left alone too long; return how many.

        How long that is, and how they end, is said in `states.expiry` of the model file,
        unless it is said here. Those that are changed meanwhile stay.

        Raises:
            SessionTypeError: no model has this `session_type`.
            InvalidRequestError: neither the model file nor the call says when they expire.

        """
        sessions = self._types.get(session_type)
        expiry = sessions.states.expiry
        if expiry is None and (idle_for is None or state is None):
            raise InvalidRequestError(
                f"{session_type} sessions do not expire: "
                "give `states.expiry` in their model file, or `idle_for` and `state`"
            )
        since = getattr(sessions.model, expiry.since if expiry else "updated_at", None)
        if since is None:
            raise InvalidRequestError(
                f"{session_type} sessions have no `updated_at`: add TimestampMixin, or say in "
                "`states.expiry` from which column the seconds count"
            )
        limit = self._clock.now() - (idle_for or timedelta(seconds=expiry.after_seconds))  # type: ignore[union-attr]  # one of them is there
        return self._expire(sessions, since, limit, state or expiry.to)  # type: ignore[union-attr]

    def _expire(self, sessions: SessionModel, since: Any, limit: datetime, state: str) -> int:
        old = (
            select(sessions.key)
            .where(since < limit, sessions.state.in_(sessions.states.sources(state)))
            .order_by(sessions.key)
            .limit(_EXPIRED_AT_ONCE)
            # What somebody else works on is not left alone.
            .with_for_update(skip_locked=True)
        )

        def work(session: TimberSession, after: Any) -> tuple[int, Any]:
            steps = self._steps(session)
            keys = session.scalars(old if after is None else old.where(sessions.key > after)).all()
            ended = 0
            for key in keys:
                with contextlib.suppress(GuardError):  # it may not end yet
                    steps.move(sessions, key, state, reason="expired")
                    _refresh(session, sessions, key)
                    ended += 1
            return ended, keys[-1] if keys else None

        count, last = self._transact(lambda session: work(session, None))
        while last is not None:
            ended, last = self._transact(partial(work, after=last))
            count += ended
        return count

    def _steps(self, session: TimberSession) -> Transitions:
        return Transitions(session, self._model("StateTransition"), clock=self._clock)


def _check_columns(sessions: SessionModel, columns: Mapping[str, Any]) -> None:
    there = sessions.model.__table__.columns
    for name in columns:
        if name not in there:
            raise UnknownColumnError(
                f"{sessions.model.__name__} has no column {name!r}{closest(name, there.keys())}"
            )


def _check_data(sessions: SessionModel, data: Mapping[str, Any]) -> None:
    _check_columns(sessions, {"data": data})
    if not isinstance(data, Mapping):
        raise InvalidRequestError(f"data: a mapping is merged, not a {type(data).__name__}")


def _rows(session: TimberSession, sessions: SessionModel, statement: Any) -> Sequence[Any]:
    read = statement.options(*sessions.related).execution_options(populate_existing=True)
    return session.scalars(read).all()


def _read(session: TimberSession, sessions: SessionModel, key: Any) -> Any:
    rows = _rows(session, sessions, select(sessions.model).where(sessions.key == key))
    if not rows:
        raise RecordNotFoundError(f"{sessions.session_type} session", key)
    return rows[0]


def _merge(
    session: TimberSession, sessions: SessionModel, key: Any, patch: Mapping[str, Any]
) -> None:
    # Locked, so that nobody else merges into what this one is merged into.
    row = session.scalar(
        select(sessions.model)
        .where(sessions.key == key)
        .with_for_update(of=sessions.model)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise RecordNotFoundError(f"{sessions.session_type} session", key)
    row.data = merged(row.data or {}, patch)
    flag_modified(row, "data")  # to Python, 1 and true are equal
    session.flush()


def _refresh(session: TimberSession, sessions: SessionModel, key: Any) -> None:
    """Let a row that the session has at hand show what a statement has made of it."""
    if sessions.mapper.identity_key_from_primary_key((key,)) in session.identity_map:
        latest(session, sessions.model, key)
