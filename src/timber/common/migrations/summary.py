"""What operations do, in words."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from alembic.operations import MigrateOperation
from alembic.operations.ops import (
    AddColumnOp,
    AddConstraintOp,
    AlterColumnOp,
    CreateIndexOp,
    CreateTableOp,
    DropColumnOp,
    DropConstraintOp,
    DropIndexOp,
    DropTableOp,
    RenameTableOp,
)
from sqlalchemy import Dialect

from timber.common.database.enum_values import said_of_type
from timber.common.migrations.losses import flat, table_of
from timber.common.migrations.operations import (
    AddFilledColumnOp,
    FillColumnOp,
    RenameColumnOp,
    RenameIndexOp,
    RenameUniqueConstraintOp,
)
from timber.common.migrations.seal_operations import SealRowsOp
from timber.common.migrations.vector_operations import (
    CreateVectorStorageOp,
    DropVectorStorageOp,
    UnwatchRowsOp,
    WatchRowsOp,
)


def summary(operations: Iterable[MigrateOperation], dialect: Dialect) -> tuple[str, ...]:
    """Return a sentence for each operation that people care about."""
    told = (_tell(operation, dialect) for operation in flat(operations))
    return tuple(dict.fromkeys(line for line in told if line))


def _tell(operation: MigrateOperation, dialect: Dialect) -> str | None:
    if type(operation) is AlterColumnOp:
        return _altered(operation, dialect)
    if isinstance(operation, SealRowsOp):
        return _sealed(operation)
    for kind, tell in _TELL.items():
        if isinstance(operation, kind):
            return tell(operation)
    return None


def _altered(operation: AlterColumnOp, dialect: Dialect) -> str:
    column = f"{operation.table_name}.{operation.column_name}"
    parts = []
    if operation.modify_type is not None:
        parts.append(said_of_type(operation.modify_type, dialect))
    if operation.modify_nullable is not None:
        parts.append("nullable" if operation.modify_nullable else "not null")
    if operation.modify_server_default is not False:
        given = operation.modify_server_default is not None
        parts.append("filled by the database" if given else "without a default in the database")
    changed = " and ".join(parts) or "described anew"
    return f"make {column} {changed}"


def _sealed(operation: SealRowsOp) -> str:
    doing = {
        "encrypt": operation.newly_sealed,
        "encrypt anew": operation.resealed,
        "decrypt": operation.opened,
        "drop": operation.dropped,
    }
    said = (
        f"{verb} {', '.join(f'{operation.table_name}.{name}' for name in names)}"
        for verb, names in doing.items()
        if names
    )
    return "; ".join(said)


def _filled(operation: Any) -> str:
    if operation.generate is None:
        return repr(operation.value)
    return "this moment" if operation.generate == "now" else f"a new {operation.generate}"


_TELL: Final[dict[type[MigrateOperation], Callable[[Any], str | None]]] = {
    CreateTableOp: lambda one: f"create table {one.table_name}",
    DropTableOp: lambda one: f"drop table {one.table_name}",
    RenameTableOp: lambda one: f"rename table {one.table_name} to {one.new_table_name}",
    AddFilledColumnOp: lambda one: (
        f"add column {one.table_name}.{one.column.name}, with {_filled(one)} in every row"
    ),
    AddColumnOp: lambda one: f"add column {one.table_name}.{one.column.name}",
    DropColumnOp: lambda one: f"drop column {one.table_name}.{one.column_name}",
    FillColumnOp: lambda one: (
        f"put {_filled(one)} where {one.table_name}.{one.column_name} has no value"
    ),
    RenameColumnOp: lambda one: (
        f"rename column {one.table_name}.{one.column_name} to {one.new_name}"
    ),
    RenameUniqueConstraintOp: lambda one: f"rename constraint {one.old_name} to {one.new_name}",
    RenameIndexOp: lambda one: f"rename index {one.old_name} to {one.new_name}",
    CreateIndexOp: lambda one: f"create index {one.index_name} on {one.table_name}",
    DropIndexOp: lambda one: f"drop index {one.index_name}",
    AddConstraintOp: lambda one: (
        f"create constraint {one.to_constraint().name} on {table_of(one)}"
    ),
    DropConstraintOp: lambda one: f"drop constraint {one.constraint_name} of {one.table_name}",
    CreateVectorStorageOp: lambda _: "make room for vectors and full text",
    DropVectorStorageOp: lambda _: "drop all vectors and the full text",
    WatchRowsOp: lambda one: (
        f"find the rows of {one.table_name} by their meaning, and read those that are there"
    ),
    UnwatchRowsOp: lambda one: (
        f"find the rows of {one.table_name} by their meaning no more, and forget their vectors"
        if one.forget
        else None
    ),
}
"""The first kind that fits an operation speaks for it."""
