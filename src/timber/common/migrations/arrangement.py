"""From what Alembic found to what can be run on tables that hold rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alembic.operations import MigrateOperation
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateCheckConstraintOp,
    CreateTableOp,
    DropConstraintOp,
    ModifyTableOps,
)
from sqlalchemy import Column, Connection, Inspector, LargeBinary, MetaData

from timber.common.database.enum_values import without_check
from timber.common.database.kinds import kind_of
from timber.common.errors import MigrationError
from timber.common.migrations.conversions import conversion
from timber.common.migrations.index_renames import with_renames
from timber.common.migrations.keys_in_the_way import keys_in_the_way
from timber.common.migrations.losses import rows_without
from timber.common.migrations.neutral_values import NOTHING, neutral_of
from timber.common.migrations.operations import (
    AddFilledColumnOp,
    FillColumnOp,
    RenameIndexOp,
)
from timber.common.migrations.ordering import in_order
from timber.common.migrations.renames import Renames
from timber.common.migrations.values import default_of
from timber.common.modeling.sealed import Sealed

Default = Callable[[str, Column[Any]], tuple[Any, str | None]]
"""Of a table and a column: the value for rows that have none, or what generates one."""


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """Arranges the operations between one database and the models."""

    connection: Connection
    metadata: MetaData
    renames: Renames
    view: Inspector
    """The database in new names."""

    def upgrade(self, operations: Sequence[MigrateOperation]) -> list[MigrateOperation]:
        """Return operations that lead to the models.

        Raises:
            MigrationError: rows would have no value where one is needed.

        """
        return self._arranged(operations, self._default)

    def downgrade(self, operations: Sequence[MigrateOperation]) -> list[MigrateOperation]:
        """Return operations that lead back."""
        return self._arranged(operations, self._default_or_neutral)

    def _arranged(
        self, operations: Sequence[MigrateOperation], default: Default
    ) -> list[MigrateOperation]:
        keys = keys_in_the_way(operations, self.view, self.connection.dialect)
        arranged: list[MigrateOperation] = [one.reverse() for one in keys]
        for operation in in_order(operations):
            if isinstance(operation, ModifyTableOps):
                arranged += self._table(operation, default)
            else:
                if isinstance(operation, CreateTableOp):
                    operation.info.clear()  # our notes, of no use to the database
                arranged.append(operation)
        return [*arranged, *keys]

    # ------------------------------------------------------------------ columns

    def _table(self, changes: ModifyTableOps, default: Default) -> Iterator[MigrateOperation]:
        table = changes.table_name
        together: list[MigrateOperation] = []
        after: list[MigrateOperation] = []
        for operation in sorted(with_renames(changes.ops), key=_turn):
            if isinstance(operation, AlterColumnOp):
                _simplify(operation)
            match operation:
                case AddColumnOp(column=column) if _needs_value(column):
                    yield from self._add(table, column, default)
                case AlterColumnOp() if _ends_not_null(operation):
                    yield from self._alter(operation, default, after)
                    together.append(operation)
                case AddColumnOp():
                    operation.column = _plain(operation.column)
                    together.append(operation)
                case RenameIndexOp():
                    yield operation
                case _:
                    together.append(operation)
        if together:
            yield ModifyTableOps(table, together)
        yield from after

    def _add(self, table: str, column: Column[Any], default: Default) -> list[MigrateOperation]:
        value, generate = default(table, column)
        if (value, generate) != NOTHING:
            return [AddFilledColumnOp(table, _plain(column), value=value, generate=generate)]
        # There is nothing to fill with, so the table must be empty when this runs.
        nullable = _plain(column)
        nullable.nullable = True
        return [
            ModifyTableOps(table, [AddColumnOp(table, nullable)]),
            _not_null(table, column),
        ]

    def _alter(
        self, operation: AlterColumnOp, default: Default, after: list[MigrateOperation]
    ) -> Iterator[MigrateOperation]:
        """Fill before a column must not be null, or after its values were converted."""
        table = operation.table_name
        column = self._column(operation)
        empties = self._may_leave_null(operation)
        if operation.modify_nullable is None and not empties:
            return
        value, generate = default(table, column)
        fill = FillColumnOp(table, column.name, value=value, generate=generate)
        fills = [fill] if (value, generate) != NOTHING else []
        if empties:
            operation.modify_nullable = True
            after += [*fills, _not_null(table, column)]
        else:
            yield from fills

    def _column(self, operation: AlterColumnOp) -> Column[Any]:
        """Return the column as it is after the operation."""
        known = self.metadata.tables[operation.table_name].columns.get(operation.column_name)
        new = operation.modify_type or operation.existing_type
        if known is None:
            return Column(operation.column_name, new)  # on the way back: it is in no model
        new = new or known.type
        dialect = self.connection.dialect
        if kind_of(new, dialect) != kind_of(known.type, dialect):
            return Column(known.name, new)  # on the way back: the default is of another type
        return Column(known.name, new, info=known.info, default=known.default)

    def _may_leave_null(self, operation: AlterColumnOp) -> bool:
        """Tell whether rows can lack a value of the new type, which can be given then only."""
        new, old = operation.modify_type, operation.existing_type
        if new is None or old is None or self._is_key(operation):
            return False
        if operation.modify_nullable is False:
            return True
        return conversion("value", old, new, self.connection.dialect).leaves_null

    def _is_key(self, operation: AlterColumnOp) -> bool:
        """Tell whether a column is of a primary key, which takes no null for a moment even."""
        key = self.view.info_cache["alembic_pk_constraint"].get((None, operation.table_name))
        return key is not None and operation.column_name in key["constrained_columns"]

    # ------------------------------------------------------------------ defaults

    def _default(self, table: str, column: Column[Any]) -> tuple[Any, str | None]:
        if _is_binary(column):
            return NOTHING  # what is sealed gets its value where it is sealed
        found = default_of(column)
        if found == NOTHING:
            bare = rows_without(self.connection, self.view, table, column.name, self.renames)
            if bare:
                raise MigrationError(
                    f"{table}.{column.name} must not be null, and {bare} of its rows would have "
                    "no value: give the column a `default`, or let it be `nullable: true`"
                )
        return found

    def _default_or_neutral(self, table: str, column: Column[Any]) -> tuple[Any, str | None]:
        found = NOTHING if _is_binary(column) else default_of(column)
        if found != NOTHING:
            return found
        kind = kind_of(column.type, self.connection.dialect)
        return neutral_of(kind, unique=self._was_unique(table, column.name))

    def _was_unique(self, table: str, column: str) -> bool:
        cache, key = self.view.info_cache, (None, table)
        constraints = cache["alembic_unique_constraints"].get(key, ())
        indexes = (one for one in cache["alembic_indexes"].get(key, ()) if one["unique"])
        return any(column in one["column_names"] for one in (*constraints, *indexes))


def _is_binary(column: Column[Any]) -> bool:
    return isinstance(column.type, LargeBinary | Sealed)


def _turn(operation: MigrateOperation) -> int:
    """Return when an operation has its turn: what a check forbids is changed while it is away."""
    if isinstance(operation, DropConstraintOp) and operation.constraint_type == "check":
        return 0
    return 2 if isinstance(operation, CreateCheckConstraintOp) else 1


def _simplify(operation: AlterColumnOp) -> None:
    """Leave of an alteration what the database has to be told."""
    operation.kw.pop("autoincrement", None)  # of another database than ours
    clause: Any = operation.modify_server_default
    operation.modify_server_default = getattr(clause, "arg", clause)
    operation.modify_type = without_check(operation.modify_type)
    operation.existing_type = without_check(operation.existing_type)


def _plain(column: Column[Any]) -> Column[Any]:
    """Return the column alone: its indexes and constraints have operations of their own."""
    return Column(
        column.name,
        without_check(column.type),
        nullable=column.nullable,
        server_default=getattr(column.server_default, "arg", None),
        comment=column.comment,
    )


def _needs_value(column: Column[Any]) -> bool:
    return not column.nullable and column.server_default is None


def _ends_not_null(operation: AlterColumnOp) -> bool:
    ends = operation.modify_nullable
    return (operation.existing_nullable if ends is None else ends) is False


def _not_null(table: str, column: Column[Any]) -> ModifyTableOps:
    demand = AlterColumnOp(
        table,
        column.name,
        existing_type=column.type,
        existing_nullable=True,
        modify_nullable=False,
    )
    return ModifyTableOps(table, [demand])
