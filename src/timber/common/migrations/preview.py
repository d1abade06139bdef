"""The SQL that operations would run, found without touching the tables they are for."""

import io
import re
import sqlite3
import textwrap
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import ModifyTableOps
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from timber.common.migrations.context import migration_context, offline_context
from timber.common.migrations.rebuilding import literal_conditions


def sql_of(connection: Connection, operations: Iterable[MigrateOperation]) -> tuple[str, ...]:
    """Return the statements of operations for the database of this connection."""
    if connection.dialect.name == "sqlite":
        return _tried_on_a_copy(connection, operations)
    output = io.StringIO()
    _run(Operations(offline_context(connection.dialect, output)), operations)
    return tuple(part.strip() for part in re.split(r";\n", output.getvalue()) if part.strip())


def _run(runner: Operations, operations: Iterable[MigrateOperation]) -> None:
    for operation in operations:
        if isinstance(operation, ModifyTableOps):
            with literal_conditions(), runner.batch_alter_table(operation.table_name) as batch:
                for part in operation.ops:
                    batch.invoke(part)
        else:
            runner.invoke(operation)


def _tried_on_a_copy(
    connection: Connection, operations: Iterable[MigrateOperation]
) -> tuple[str, ...]:
    """Run them on a database that has the tables and no rows, and write down what they run."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("PRAGMA", "SELECT")):
            statements.append(textwrap.dedent(statement).strip())

    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as copy:
        _copy_schema(connection, copy)
        engine = create_engine("sqlite://", creator=lambda: copy, poolclass=StaticPool)
        with engine.connect() as scratch:
            event.listen(engine, "before_cursor_execute", note)
            _run(Operations(migration_context(scratch)), operations)
    return tuple(statements)


def _copy_schema(connection: Connection, copy: sqlite3.Connection) -> None:
    found = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index') "
        "AND name NOT LIKE 'sqlite#_%' ESCAPE '#' ORDER BY type = 'index', rootpage"
    )
    for name, statement in found:
        # A virtual table brings tables of its own.
        known = copy.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        if known is None:
            copy.execute(statement)
