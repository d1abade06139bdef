"""Lists of sessions, the newest first, in pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, inspect, select, tuple_

from timber.common.errors import InvalidRequestError
from timber.common.persistence.base import checked_limit
from timber.common.persistence.pages import Page, decode_cursor, page_of
from timber.common.persistence.session_models import SessionModel


def newest_first(
    sessions: SessionModel, *, limit: int, cursor: str | None = None
) -> Select[tuple[Any]]:
    """Return what selects the sessions behind the cursor, and one more than the limit.

    Without a column `created_at`, the last keys come first.

    Raises:
        InvalidRequestError: the cursor is none, or the limit is not from 1 to 10,000.

    """
    order = _order(sessions)
    statement = select(sessions.model).limit(checked_limit(limit) + 1)
    if cursor is not None:
        written = decode_cursor(_kind(sessions), cursor, *[str] * len(order))
        statement = statement.where(tuple_(*order) < tuple_(*_values(sessions, written)))
    return statement.order_by(*(one.desc() for one in order))


def page_of_sessions(rows: Sequence[Any], sessions: SessionModel, limit: int) -> Page[Any]:
    """Return the page of what `newest_first` has selected."""

    def place(row: Any) -> tuple[str, ...]:
        key = str(inspect(row).identity[0])
        return (row.created_at.isoformat(), key) if len(_order(sessions)) > 1 else (key,)

    return page_of(rows, limit, kind=_kind(sessions), place=place)


def _kind(sessions: SessionModel) -> str:
    return f"sessions {sessions.session_type}"


def _order(sessions: SessionModel) -> tuple[Any, ...]:
    if "created_at" in sessions.model.__table__.columns:
        return (sessions.model.created_at, sessions.key)
    return (sessions.key,)


def _values(sessions: SessionModel, written: Sequence[str]) -> tuple[Any, ...]:
    *moment, key = written
    try:
        return (*map(datetime.fromisoformat, moment), sessions.restore_key(key))
    except ValueError as error:
        raise InvalidRequestError("cursor: this is none of this list") from error
