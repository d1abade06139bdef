"""Does a request once, however often it is asked for under one key."""

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from timber.common.clock import Clock
from timber.common.database.session import TimberSession
from timber.common.errors import IdempotencyConflictError, InvalidRequestError
from timber.common.modeling.registry import ModelRegistry

_LONGEST: Final = 255
_PURGE_EVERY: Final = 256
"""After so many keys, those that are too old are deleted."""
_PURGED_AT_ONCE: Final = 1_000


class Idempotency:
    """Remembers the results of requests by key, each user's for himself, for a while."""

    def __init__(self, *, models: ModelRegistry, clock: Clock) -> None:
        self._models = models
        self._clock = clock
        self._kept = timedelta(days=1)
        self._used = itertools.count(1)

    def open(self, kept_seconds: float) -> None:
        """Remember each key for so long."""
        self._kept = timedelta(seconds=kept_seconds)

    def once(  # noqa: PLR0913 - what a request is, all by keyword
        self,
        session: TimberSession,
        create: Callable[[], Any],
        *,
        user_id: str,
        operation: str,
        key: str | None,
        request: Mapping[str, Any],
        restore: Callable[[str], Any] = str,
    ) -> Any:
        """Return what `create` returns, or what it returned when the key was used first.

        The key is claimed in the session's transaction, so of two at once the second waits
        for the first, and creates only if that one was rolled back.
        `restore` makes the result out of its text.

        Raises:
            IdempotencyConflictError: the key was used for another request.
            InvalidRequestError: the key is no text of 1 to 255 characters.

        """
        if key is None:
            return create()
        if type(key) is not str or not 0 < len(key) <= _LONGEST:
            raise InvalidRequestError(
                f"idempotency_key: give a text of 1 to {_LONGEST} characters, such as a UUID"
            )
        model = self._models.get("IdempotencyKey")
        place = {"user_id": user_id, "operation": operation, "key": key}
        digest = _digest(request)
        with session.begin_nested():  # so that a failure gives the key back
            if not self._claim(session, model, place, digest):
                return self._first_result(session, model, place, digest, restore)
            result = create()
            session.execute(
                update(model).values(result=str(result)).where(*_at(model, place)),
                execution_options={"synchronize_session": False},
            )
        if next(self._used) % _PURGE_EVERY == 0:
            self.purge(session)
        return result

    def purge(self, session: TimberSession) -> int:
        """Delete keys that are too old, some at once, and return how many."""
        model = self._models.get("IdempotencyKey")
        columns = (model.user_id, model.operation, model.key)
        old = (
            select(*columns)
            .where(model.created_at < self._oldest)
            .limit(_PURGED_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        deleted = session.execute(
            delete(model)
            .where(tuple_(*columns).in_(old))
            .returning(model.key)
            .execution_options(synchronize_session=False)
        )
        return len(deleted.all())

    @property
    def _oldest(self) -> datetime:
        return self._clock.now() - self._kept

    def _claim(
        self, session: TimberSession, model: type[Any], place: Mapping[str, str], digest: str
    ) -> bool:
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        insert: Any = sqlite.insert if is_sqlite else postgresql.insert
        fresh = {"request": digest, "result": None, "created_at": self._clock.now()}
        table = model.__table__
        claim = (
            insert(table)
            .values(**place, **fresh)
            # One that is too old counts no more.
            .on_conflict_do_update(
                index_elements=list(place), set_=fresh, where=table.c.created_at < self._oldest
            )
            .returning(table.c.key)
        )
        return session.execute(claim).first() is not None

    def _first_result(
        self,
        session: TimberSession,
        model: type[Any],
        place: Mapping[str, str],
        digest: str,
        restore: Callable[[str], Any],
    ) -> Any:
        found = session.execute(
            select(model.request, model.result).where(*_at(model, place))
        ).one()
        if found.request != digest:
            raise IdempotencyConflictError(place["operation"], place["key"])
        return restore(found.result)


def _at(model: type[Any], place: Mapping[str, str]) -> tuple[Any, ...]:
    return tuple(getattr(model, name) == value for name, value in place.items())


def _digest(request: Mapping[str, Any]) -> str:
    """Return the same text for the same request; the order of keys in it does not matter."""
    written = json.dumps(request, sort_keys=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()
