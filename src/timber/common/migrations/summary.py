"""What operations do, in words."""

from collections.abc import Iterable

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

from timber.common.migrations.losses import flat, table_of
from timber.common.migrations.operations import (
    AddFilledColumnOp,
    FillColumnOp,
    RenameColumnOp,
    RenameIndexOp,
    RenameUniqueConstraintOp,
)


def summary(operations: Iterable[MigrateOperation], dialect: Dialect) -> tuple[str, ...]:
    """Return a sentence for each operation that people care about."""
    told = (_tell(operation, dialect) for operation in flat(operations))
    return tuple(dict.fromkeys(line for line in told if line))


def _tell(operation: MigrateOperation, dialect: Dialect) -> str | None:
    match operation:
        case CreateTableOp(table_name=table):
            return f"create table {table}"
        case DropTableOp(table_name=table):
            return f"drop table {table}"
        case RenameTableOp(table_name=old, new_table_name=new):
            return f"rename table {old} to {new}"
        case AddFilledColumnOp(table_name=table, column=column):
            return f"add column {table}.{column.name}, {_filled(operation)} in every row"
        case AddColumnOp(table_name=table, column=column):
            return f"add column {table}.{column.name}"
        case DropColumnOp(table_name=table, column_name=column):
            return f"drop column {table}.{column}"
        case FillColumnOp(table_name=table, column_name=column):
            return f"put {_filled(operation)} where {table}.{column} has no value"
        case RenameColumnOp(table_name=table, column_name=column):
            return f"rename column {table}.{column} to {operation.new_name}"
        case AlterColumnOp():
            return _altered(operation, dialect)
        case _:
            return _indexes_and_constraints(operation)


def _filled(operation: FillColumnOp | AddFilledColumnOp) -> str:
    if operation.generate is None:
        return repr(operation.value)
    return f"a new {operation.generate}" if operation.generate != "now" else "this moment"


def _altered(operation: AlterColumnOp, dialect: Dialect) -> str:
    column = f"{operation.table_name}.{operation.column_name}"
    parts = []
    if operation.modify_type is not None:
        parts.append(f"of type {operation.modify_type.compile(dialect)}")
    if operation.modify_nullable is not None:
        parts.append("nullable" if operation.modify_nullable else "not null")
    if operation.modify_server_default is not False:
        given = operation.modify_server_default is not None
        parts.append("filled by the database" if given else "without a default in the database")
    changed = " and ".join(parts) or "described anew"
    return f"make {column} {changed}"


def _indexes_and_constraints(operation: MigrateOperation) -> str | None:
    match operation:
        case RenameUniqueConstraintOp(old_name=old, new_name=new):
            return f"rename constraint {old} to {new}"
        case RenameIndexOp(old_name=old, new_name=new):
            return f"rename index {old} to {new}"
        case CreateIndexOp(index_name=index, table_name=table):
            return f"create index {index} on {table}"
        case DropIndexOp(index_name=index):
            return f"drop index {index}"
        case AddConstraintOp():
            return f"create constraint {operation.to_constraint().name} on {table_of(operation)}"
        case DropConstraintOp(constraint_name=name, table_name=table):
            return f"drop constraint {name} of {table}"
        case _:
            return None
