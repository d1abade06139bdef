"""What a step destroys: found in its operations, counted in the database they are to run on."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from alembic.operations import MigrateOperation
from alembic.operations.ops import AlterColumnOp, DropColumnOp, DropTableOp, OpContainer
from sqlalchemy import Connection, Inspector, inspect, text
from sqlalchemy.types import TypeEngine
from typing_extensions import override

from timber.common.database.enum_values import said_of_type
from timber.common.migrations.conversions import conversion
from timber.common.migrations.renames import Renames
from timber.common.migrations.seal_operations import SealRowsOp
from timber.common.migrations.sealed_definitions import Part, built
from timber.common.migrations.sealed_rows import RowChange, conversion_to_seal, lost_by_erasure


@dataclass(frozen=True)
class Loss:
    """Something that an operation may destroy; `rows` of it in the database at hand."""

    what: str
    table: str
    column: str | None
    rows: int
    is_protection: bool = False
    """Whether the values stay, and what protects them goes."""

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
    return tuple(
        loss
        for operation in flat(operations)
        for loss in losses_of(connection, operation, renames)
    )


def losses_of(
    connection: Connection, operation: MigrateOperation, renames: Renames
) -> tuple[Loss, ...]:
    """Return what one operation would destroy."""
    if isinstance(operation, SealRowsOp):
        found: Iterable[Loss | None] = _losses_of_seals(connection, operation, renames)
    else:
        found = (_loss_of(connection, operation, renames),)
    return tuple(loss for loss in found if loss is not None and loss.rows)


def _loss_of(connection: Connection, operation: MigrateOperation, renames: Renames) -> Loss | None:
    match operation:
        case DropTableOp(table_name=table):
            rows = count_rows(connection, renames.old_table(table), "true")
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
        return count_rows(connection, renames.old_table(table), "true")
    return _count_in(connection, table, column, renames, lambda name: f"{name} IS NULL")


def _losses_of_seals(
    connection: Connection, operation: SealRowsOp, renames: Renames
) -> Iterator[Loss]:
    """Yield what goes when values are opened or sealed: their protection, or some of them."""
    table = operation.table_name

    def given(name: str) -> str:
        return f"{name} IS NOT NULL"

    for column in operation.dropped:
        rows = _count_in(connection, table, column, renames, given)
        yield Loss(f"the column {table}.{column} goes, with its values", table, column, rows)
    for column in operation.opened:
        rows = _count_in(connection, table, column, renames, given)
        what = f"{table}.{column} is decrypted, and kept in plain text from then on"
        yield Loss(what, table, column, rows, is_protection=True)
    for column, rows in lost_by_erasure(connection, _as_it_was(operation, renames)).items():
        if column in operation.dropped:
            continue
        what = f"{table}.{column} becomes null where the keys of its person were destroyed"
        yield Loss(what, table, column, rows)
    yield from _losses_of_types(connection, operation, renames)


def _losses_of_types(
    connection: Connection, operation: SealRowsOp, renames: Renames
) -> Iterator[Loss]:
    """Yield which values do not fit the type as which they are to be sealed."""
    table, dialect = operation.table_name, connection.dialect
    there = {one["name"]: one["type"] for one in _columns(connection, table, renames)}
    for column in operation.newly_sealed:
        old = there.get(renames.old_column(table, column))
        if operation.after is None or old is None:
            continue
        said = operation.after.sealing.fields[operation.after.by_place[column]].type

        def misfits(name: str, old: TypeEngine[Any] = old, said: str = said) -> str:
            how = conversion_to_seal(name, old, built(said), dialect)
            return f"{name} IS NOT NULL AND ({how})" if how else "false"

        rows = _count_in(connection, table, column, renames, misfits)
        what = f"{table}.{column} becomes {said}, into which not every value fits"
        yield Loss(what, table, column, rows)


def _as_it_was(operation: SealRowsOp, renames: Renames) -> RowChange:
    """Return what is to be opened, with the names of before the renames."""
    table, before = operation.table_name, operation.before
    if before is None:
        return operation.change
    old, sealing = renames.old_column, before.sealing
    names = {name: old(table, place) for place, name in before.by_place.items()}
    link = sealing.link and replace(sealing.link, name=old(table, sealing.link.name))
    key = tuple(replace(one, name=old(table, one.name)) for one in sealing.key)
    part = Part(replace(sealing, key=key, link=link), names)
    return RowChange(renames.old_table(table), part, None, {}, {})


def _columns(connection: Connection, table: str, renames: Renames) -> list[Any]:
    return [*inspect(connection).get_columns(renames.old_table(table))]


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
    return count_rows(connection, renames.old_table(table), condition(name))


def count_rows(connection: Connection, table: str, condition: str) -> int:
    """Return how many rows of a table meet a condition."""
    quoted = connection.dialect.identifier_preparer.quote(table)
    statement = f"SELECT count(*) FROM {quoted} WHERE {condition}"  # noqa: S608 - quoted
    return int(connection.execute(text(statement.replace(":", r"\:"))).scalar_one())
