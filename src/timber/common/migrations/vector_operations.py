"""Operations on what finds texts by their meaning: the room for vectors, and the triggers.

Importing this module teaches them to `alembic.op`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from alembic.operations import MigrateOperation, Operations
from typing_extensions import override

from timber.common.database.attachments import (
    Attachment,
    Attachments,
    create_extension,
    drop_trigger,
)
from timber.common.vector.row_triggers import WatchedRows, after_removal
from timber.common.vector.storage import attach_storage


@Operations.register_operation("create_vector_storage")
class CreateVectorStorageOp(MigrateOperation):
    """Make what stands beside `vector_chunks`: its vectors and its full text."""

    def __init__(self, *, is_first: bool = True) -> None:
        self.is_first = is_first

    @classmethod
    def create_vector_storage(cls, operations: Operations) -> None:
        """Make what stands beside `vector_chunks`: its vectors and its full text."""
        operations.invoke(cls())

    @override
    def reverse(self) -> MigrateOperation:
        return DropVectorStorageOp() if self.is_first else CreateVectorStorageOp(is_first=False)


@Operations.register_operation("drop_vector_storage")
class DropVectorStorageOp(MigrateOperation):
    """Drop what stands beside `vector_chunks`."""

    @classmethod
    def drop_vector_storage(cls, operations: Operations) -> None:
        """Drop what stands beside `vector_chunks`."""
        operations.invoke(cls())

    @override
    def reverse(self) -> CreateVectorStorageOp:
        return CreateVectorStorageOp()


@Operations.register_operation("watch_rows")
class WatchRowsOp(MigrateOperation):
    """Find the rows of a table by their meaning: watch them, and read those that are there."""

    def __init__(self, table_name: str, **definition: Any) -> None:
        self.table_name = table_name
        self.definition = definition

    @property
    def rows(self) -> WatchedRows:
        """What is watched."""
        return WatchedRows.from_dict({"table": self.table_name, **self.definition})

    @classmethod
    def of(cls, rows: WatchedRows) -> "WatchRowsOp":
        """Return what watches these rows."""
        definition = rows.as_dict()
        return cls(definition.pop("table"), **definition)

    @classmethod
    def watch_rows(cls, operations: Operations, table_name: str, **definition: Any) -> None:
        """Find the rows of a table by their meaning."""
        operations.invoke(cls(table_name, **definition))


@Operations.register_operation("unwatch_rows")
class UnwatchRowsOp(MigrateOperation):
    """Find the rows of a table by their meaning no more."""

    def __init__(self, table_name: str, triggers: Sequence[str], *, forget: bool = True) -> None:
        self.table_name = table_name
        self.triggers = tuple(triggers)
        self.forget = forget
        """Whether what was made of the rows goes, too; not where they are watched otherwise."""

    @classmethod
    def unwatch_rows(
        cls,
        operations: Operations,
        table_name: str,
        triggers: Sequence[str],
        *,
        forget: bool = True,
    ) -> None:
        """Find the rows of a table by their meaning no more."""
        operations.invoke(cls(table_name, triggers, forget=forget))


# ------------------------------------------------------------------ what they do


def _storage(operations: Operations) -> tuple[Attachment, ...]:
    known = Attachments()
    attach_storage(known)
    return known.of(operations.impl.dialect)


@Operations.implementation_for(CreateVectorStorageOp)
def _create(operations: Operations, _operation: CreateVectorStorageOp) -> None:
    connection = operations.get_bind() if not operations.get_context().as_sql else None
    for one in _storage(operations):
        if one.extension is None or connection is None:
            possible = True
        else:
            possible = create_extension(connection, one.extension)
        if possible:
            _execute(operations, one.making)


@Operations.implementation_for(DropVectorStorageOp)
def _drop(operations: Operations, _operation: DropVectorStorageOp) -> None:
    for one in reversed(_storage(operations)):
        _execute(operations, one.drop)


@Operations.implementation_for(WatchRowsOp)
def _watch(operations: Operations, operation: WatchRowsOp) -> None:
    _execute(operations, operation.rows.attachment(operations.impl.dialect).making)


@Operations.implementation_for(UnwatchRowsOp)
def _unwatch(operations: Operations, operation: UnwatchRowsOp) -> None:
    for name in operation.triggers:
        _execute(operations, drop_trigger(name, operation.table_name, operations.impl.dialect))
    if operation.forget:
        _execute(operations, after_removal(operation.table_name))


def _execute(operations: Operations, statements: Iterable[str]) -> None:
    for statement in statements:
        operations.execute(statement.replace(":", r"\:"))
