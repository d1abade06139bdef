"""Keeps the conditions of a table as they are while SQLite's tables are copied anew."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import CheckConstraint, TextClause, event, text

from timber.common.migrations.values import escaped


@contextmanager
def literal_conditions() -> Generator[None]:
    """Let nothing in a condition that is read from a database be taken for a parameter.

    Alembic reads a table by SQLAlchemy, which would take the `:b` of `x <> 'a:b'` for one.
    """
    event.listen(CheckConstraint, "after_parent_attach", _escape)
    try:
        yield
    finally:
        event.remove(CheckConstraint, "after_parent_attach", _escape)


def _escape(check: CheckConstraint, _parent: Any) -> None:
    if isinstance(check.sqltext, TextClause):
        check.sqltext = text(escaped(check.sqltext.text))
