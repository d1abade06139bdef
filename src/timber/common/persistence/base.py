"""What every service is made of: a way into a transaction, the models and the clock."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self, TypeVar

from sqlalchemy import select

from timber.common.clock import Clock
from timber.common.database.session import TimberSession
from timber.common.errors import ConfigurationError, InvalidRequestError, UserNotFoundError
from timber.common.modeling.registry import ModelRegistry

Result = TypeVar("Result")

LARGEST_PAGE: Final = 10_000
"""How many rows a page has at most."""


class Transact(Protocol):
    """Runs work in a transaction."""

    def __call__(self, work: Callable[[TimberSession], Result], /) -> Result:
        """Return what `work` returns; keep what it did, or none of it when it raises."""
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

    def __init__(self, *, transact: Transact, models: ModelRegistry, clock: Clock) -> None:
        self._transact = transact
        self._models = models
        self._clock = clock

    def within(self, session: TimberSession) -> Self:
        """Return the same service, whose calls are part of the session's transaction.

        Whoever owns the session commits it. What a service returns belongs to it meanwhile.
        """
        joined = copy.copy(self)
        joined._transact = Joined(session)  # noqa: SLF001 - a copy of itself
        return joined

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
        user = self._models.get("User")
        key = user.user_id
        if session.scalar(select(key).where(key == user_id)) is None:
            raise UserNotFoundError(user_id)


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
