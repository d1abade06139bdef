"""Keeps the conditions and triggers of a table while SQLite's tables are copied anew."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from alembic.operations import Operations
from sqlalchemy import CheckConstraint, TextClause, event, text

from timber.common.database.attachments import PREFIX
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


@contextmanager
def kept_triggers(operations: Operations, table: str) -> Generator[None]:
    """Make Timber's triggers of a table again that go with it when SQLite copies it anew."""
    if operations.impl.dialect.name != "sqlite" or operations.get_context().as_sql:
        yield
        return
    connection = operations.get_bind()
    of_table = text(
        "SELECT name, sql FROM sqlite_master "
        "WHERE type = 'trigger' AND tbl_name = :table AND name LIKE :ours"
    ).bindparams(table=table, ours=f"{PREFIX}%")
    before = {name: sql for name, sql in connection.execute(of_table)}  # noqa: C416 - rows are no pairs to mypy
    yield
    after = {name for name, _ in connection.execute(of_table)}
    for name, sql in before.items():
        if name not in after:
            connection.exec_driver_sql(sql)
