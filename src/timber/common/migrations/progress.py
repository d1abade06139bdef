"""What steps are doing while they run, for those who wait for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from alembic.operations import MigrateOperation
from sqlalchemy import Connection, inspect, text

from timber.common.migrations.losses import table_of
from timber.common.migrations.summary import summary


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where steps stand."""

    done: int
    """How many of them are applied, or taken back."""
    steps: int
    step: str
    """The name of the one that runs."""
    doing: str = ""
    """What it does right now, in words."""
    rows: int | None = None
    """How many rows the table has that it changes; on PostgreSQL as the planner estimates."""


OnProgress: TypeAlias = Callable[[Progress], None]
Tell: TypeAlias = Callable[[str, int | None], None]
"""Of what an operation does, in words, and the rows of its table."""


def tell_operation(connection: Connection, operation: MigrateOperation, tell: Tell) -> None:
    """Tell what an operation is about to do; nothing, if it is nothing to people."""
    table = table_of(operation)
    for line in summary([operation], connection.dialect):
        tell(line, rows_of(connection, table))


def rows_of(connection: Connection, table: str) -> int | None:
    """Return about how many rows a table has; None: nobody knows without reading all of it."""
    if connection.dialect.name == "postgresql":
        known = text(
            "SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE oid = to_regclass(:name)"
        )
        name = connection.dialect.identifier_preparer.quote(table)
        rows = connection.execute(known, {"name": name}).scalar()
        return rows if rows is not None and rows >= 0 else None
    if not inspect(connection).has_table(table):
        return None
    name = connection.dialect.identifier_preparer.quote(table).replace(":", r"\:")
    return int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())  # noqa: S608 - quoted
