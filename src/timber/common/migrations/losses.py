"""What a step destroys: found in its operations, counted in the database they are to run on."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from alembic.operations import MigrateOperation
from alembic.operations.ops import AlterColumnOp, DropColumnOp, DropTableOp, OpContainer
from sqlalchemy import Connection, Inspector, inspect, text
from sqlalchemy.types import TypeEngine
from typing_extensions import override

from timber.common.database.enum_values import said_of_type
from timber.common.migrations.conversions import conversion
from timber.common.migrations.renames import Renames


@dataclass(frozen=True)
class Loss:
    """Something that an operation may destroy; `rows` of it in the database at hand."""

    what: str
    table: str
    column: str | None
    rows: int

    @override
    def __str__(self) -> str:
        return f"{self.what}: {self.rows} row{'' if self.rows == 1 else 's'}"


def flat(operations: Iterable[MigrateOperation]) -> Iterator[MigrateOperation]:
    """Yield operations one by one, out of the containers that hold them."""
    for operation in operations:
        if isinstance(operation, OpContainer):
            yield from flat(operation.ops)
        else:
            yield operation


def table_of(operation: MigrateOperation) -> str:
    """Return the name of the table that an operation is about."""
    return str(getattr(operation, "table_name", getattr(operation, "source_table", "")))


def losses(
    connection: Connection, operations: Iterable[MigrateOperation], renames: Renames
) -> tuple[Loss, ...]:
    """Return what operations would destroy; `renames` are those that come before them."""
    found = (loss_of(connection, operation, renames) for operation in flat(operations))
    return tuple(loss for loss in found if loss is not None and loss.rows)


def loss_of(connection: Connection, operation: MigrateOperation, renames: Renames) -> Loss | None:
    """Return what one operation would destroy; None if it is of a kind that keeps everything."""
    match operation:
        case DropTableOp(table_name=table):
            rows = _count(connection, renames.old_table(table), "true")
            return Loss(f"the table {table} goes, with all its rows", table, None, rows)
        case DropColumnOp(table_name=table, column_name=column):
            rows = _count_in(
                connection, table, column, renames, lambda name: f"{name} IS NOT NULL"
            )
            return Loss(f"the column {table}.{column} goes, with its values", table, column, rows)
        case AlterColumnOp(table_name=table, column_name=column) if (
            operation.modify_type is not None
        ):
            return _loss_of_type(connection, operation, operation.modify_type, renames)
        case _:
            return None


def rows_without(
    connection: Connection, view: Inspector, table: str, column: str, renames: Renames
) -> int:
    """Return how many rows have no value in a column, or would have none in a new one."""
    columns = view.info_cache["alembic_columns"].get((None, table), ())
    if column not in {one["name"] for one in columns}:
        return _count(connection, renames.old_table(table), "true")
    return _count_in(connection, table, column, renames, lambda name: f"{name} IS NULL")


def _loss_of_type(
    connection: Connection, operation: AlterColumnOp, new: TypeEngine[Any], renames: Renames
) -> Loss | None:
    table, column = operation.table_name, operation.column_name
    old = _stored_type(connection, table, column, renames)

    def misfits(name: str) -> str:
        how = conversion(name, old, new, connection.dialect).misfits
        return f"{name} IS NOT NULL AND ({how})" if how else "false"

    rows = _count_in(connection, table, column, renames, misfits)
    to = said_of_type(new, connection.dialect).removeprefix("of type ")
    what = f"{table}.{column} becomes {to}, into which not every value fits"
    return Loss(what, table, column, rows)


def _stored_type(
    connection: Connection, table: str, column: str, renames: Renames
) -> TypeEngine[Any]:
    columns = inspect(connection).get_columns(renames.old_table(table))
    name = renames.old_column(table, column)
    return next(one["type"] for one in columns if one["name"] == name)


def _count_in(
    connection: Connection,
    table: str,
    column: str,
    renames: Renames,
    condition: Callable[[str], str],
) -> int:
    quote = connection.dialect.identifier_preparer.quote
    name = quote(renames.old_column(table, column))
    return _count(connection, renames.old_table(table), condition(name))


def _count(connection: Connection, table: str, condition: str) -> int:
    quoted = connection.dialect.identifier_preparer.quote(table)
    statement = f"SELECT count(*) FROM {quoted} WHERE {condition}"  # noqa: S608 - quoted
    return int(connection.execute(text(statement.replace(":", r"\:"))).scalar_one())
