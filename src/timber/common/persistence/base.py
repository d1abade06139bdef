"""What every service is made of: a way into a transaction, the models and the clock."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, Self, TypeVar

from sqlalchemy import Executable, Table, bindparam, select

from timber.common.clock import Clock
from timber.common.database.session import TimberSession
from timber.common.errors import (
    ConfigurationError,
    InvalidRequestError,
    RecordNotFoundError,
    UserNotFoundError,
)
from timber.common.modeling.registry import ModelRegistry

Result = TypeVar("Result")

LARGEST_PAGE: Final = 10_000
"""How many rows a page has at most."""


class Transact(Protocol):
    """Runs work in a transaction."""

    def __call__(self, work: Callable[[TimberSession], Result], /) -> Result:
        """Return what `work` returns; keep what it did, or none of it when it raises."""
        ...


class Read(Protocol):
    """Reads a row by its key."""

    def __call__(self, model: type[Any], key: Any, /) -> Any:
        """Return the row as it is now, None if there is none."""
        ...


@dataclass(frozen=True)
class Joined:
    """Runs work in the transaction of a session, which somebody else commits."""

    session: TimberSession

    def __call__(self, work: Callable[[TimberSession], Result], /) -> Result:
        """Return what `work` returns."""
        return work(self.session)


class Service:
    """Each call is a transaction of its own, unless the service was joined to another one."""

    def __init__(
        self, *, transact: Transact, read: Read, models: ModelRegistry, clock: Clock
    ) -> None:
        self._transact = transact
        self._read = read
        self._models = models
        self._clock = clock

    def within(self, session: TimberSession) -> Self:
        """Return the same service, whose calls are part of the session's transaction.

        Whoever owns the session commits it. What a service returns belongs to it meanwhile.
        """
        joined = copy.copy(self)
        joined._transact = Joined(session)  # noqa: SLF001 - a copy of itself
        joined._read = partial(latest, session)  # noqa: SLF001 - as above
        return joined

    def _one(self, model: type[Any], key: Any, *, kind: str) -> Any:
        """Return the row with that key.

        Raises:
            RecordNotFoundError: there is none.

        """
        row = None if key is None else self._read(model, key)
        if row is None:
            raise RecordNotFoundError(kind, key)
        return row

    def _model(self, name: str, *columns: str) -> type[Any]:
        model = self._models.get(name)
        there = model.__table__.columns
        if missing := [column for column in columns if column not in there]:
            raise ConfigurationError(
                f"the service needs a model {name} with the columns {', '.join(missing)}: "
                f"give it those, or call your own {name} by another name"
            )
        return model

    def _require_user(self, session: TimberSession, user_id: str) -> None:
        """Raise a UserNotFoundError if there is no such user."""
        table = self._models.get("User").__table__
        if session.scalar(prepared(table, _find_user), {"key": user_id}) is None:
            raise UserNotFoundError(user_id)


def prepared(table: Table, make: Callable[[Table], Executable]) -> Any:
    """Return the statement that `make` makes of the table, made once for each table."""
    key = ("timber statement", make)
    if key not in table.info:
        table.info[key] = make(table)
    return table.info[key]


def _find_user(table: Table) -> Executable:
    statement = select(table.c.user_id).where(table.c.user_id == bindparam("key"))
    if "deleted_at" in table.c:
        statement = statement.where(table.c.deleted_at.is_(None))
    return statement


def latest(session: TimberSession, model: type[Any], key: Any) -> Any:
    """Return a row as the database has it now, whatever the session has at hand."""
    return session.get(model, key, populate_existing=True)


def checked_limit(limit: int) -> int:
    """Return the limit of a page.

    Raises:
        InvalidRequestError: it is none.

    """
    if type(limit) is not int or not 0 < limit <= LARGEST_PAGE:
        raise InvalidRequestError(
            f"limit: {limit!r} is no whole number from 1 to {LARGEST_PAGE:,}"
        )
    return limit
