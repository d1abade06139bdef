"""Runs the operations of a step, and notes what they destroy before they do."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

from alembic.migration import MigrationContext
from alembic.operations import BatchOperations, MigrateOperation, Operations
from sqlalchemy import Connection

from timber.common.migrations.losses import Loss, losses_of
from timber.common.migrations.progress import Tell, rows_of, tell_operation
from timber.common.migrations.rebuilding import kept_triggers, literal_conditions
from timber.common.migrations.renames import Renames
from timber.common.migrations.seal_operations import TELL

_ONE_AT_A_TIME: Final = threading.Lock()
"""`alembic.op`, by which steps speak, is one for the whole process."""


@contextmanager
def watched_operations(
    connection: Connection, context: MigrationContext, tell: Tell | None
) -> Generator[list[Loss]]:
    """Let `alembic.op` act in this context, and give the list of what it destroys.

    It grows before each operation, also one that people wrote into a step by hand.
    `tell` is told what is done; without it, no rows are counted for it.
    """
    losses: list[Loss] = []

    def watch(operation: MigrateOperation) -> None:
        losses.extend(losses_of(connection, operation, Renames()))
        if tell is not None:
            tell_operation(connection, operation, tell)

    def rebuild(table: str) -> None:
        if tell is not None and connection.dialect.name == "sqlite":
            tell(f"copy table {table}", rows_of(connection, table))

    context.opts[TELL] = tell
    with _ONE_AT_A_TIME:
        opened = Operations.context(context)
        operations = opened.__enter__()
        try:
            _watch(operations, watch, rebuild)
            yield losses
        finally:
            # Left without the exception, for which Alembic's own would not clean up.
            opened.__exit__(None, None, None)


def _watch(
    operations: Operations,
    watch: Callable[[MigrateOperation], None],
    rebuild: Callable[[str], None],
) -> None:
    batch_alter_table = operations.batch_alter_table

    @contextmanager
    def watched_batch(table_name: str, **options: Any) -> Generator[BatchOperations]:
        with (
            kept_triggers(operations, table_name),
            literal_conditions(),
            batch_alter_table(table_name, **options) as batch,
        ):
            vars(batch)["invoke"] = _watched(batch, watch)
            yield batch
            rebuild(table_name)

    vars(operations)["invoke"] = _watched(operations, watch)
    vars(operations)["batch_alter_table"] = watched_batch


def _watched(operations: Operations | BatchOperations, watch: Any) -> Any:
    invoke = operations.invoke

    def watched(operation: MigrateOperation) -> Any:
        watch(operation)
        return invoke(operation)

    return watched
