"""Alembic operations of our own: what a step needs, said in one line, for both databases.

Importing this module teaches them to `alembic.op`.
"""

from collections.abc import Sequence
from typing import Any

from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import AddColumnOp, AlterColumnOp, DropColumnOp, RenameTableOp
from sqlalchemy import Column, text
from sqlalchemy.types import TypeEngine
from typing_extensions import override

from timber.common.migrations.values import sql_of


@Operations.register_operation("fill_column")
class FillColumnOp(MigrateOperation):
    """Give a value to the rows that have none: a literal, or a new one from a generator."""

    def __init__(
        self, table_name: str, column_name: str, *, value: Any = None, generate: str | None = None
    ) -> None:
        self.table_name = table_name
        self.column_name = column_name
        self.value = value
        self.generate = generate

    @classmethod
    def fill_column(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str,
        *,
        value: Any = None,
        generate: str | None = None,
    ) -> None:
        """Give a value to the rows of a table that have none in a column."""
        operations.invoke(cls(table_name, column_name, value=value, generate=generate))


@Operations.register_operation("add_filled_column")
class AddFilledColumnOp(AddColumnOp):
    """Add a column that must not be null, with a value for the rows that are there."""

    def __init__(
        self,
        table_name: str,
        column: Column[Any],
        *,
        value: Any = None,
        generate: str | None = None,
    ) -> None:
        super().__init__(table_name, column)
        self.value = value
        self.generate = generate

    @classmethod
    def add_filled_column(
        cls,
        operations: Operations,
        table_name: str,
        column: Column[Any],
        *,
        value: Any = None,
        generate: str | None = None,
    ) -> None:
        """Add a column that must not be null, with a value for the rows that are there."""
        operations.invoke(cls(table_name, column, value=value, generate=generate))

    @override
    def reverse(self) -> DropColumnOp:
        return DropColumnOp.from_column_and_tablename(None, self.table_name, self.column)


@Operations.register_operation("rename_index")
class RenameIndexOp(MigrateOperation):
    """Rename an index, which SQLite can only make anew."""

    def __init__(
        self,
        old_name: str,
        new_name: str,
        *,
        table_name: str,
        columns: Sequence[str],
        unique: bool = False,
    ) -> None:
        self.old_name = old_name
        self.new_name = new_name
        self.table_name = table_name
        self.columns = tuple(columns)
        self.unique = unique

    @classmethod
    def rename_index(
        cls,
        operations: Operations,
        old_name: str,
        new_name: str,
        *,
        table_name: str,
        columns: Sequence[str],
        unique: bool = False,
    ) -> None:
        """Rename an index of a table."""
        operations.invoke(
            cls(old_name, new_name, table_name=table_name, columns=columns, unique=unique)
        )

    @override
    def reverse(self) -> "RenameIndexOp":
        return RenameIndexOp(
            self.new_name,
            self.old_name,
            table_name=self.table_name,
            columns=self.columns,
            unique=self.unique,
        )


@Operations.register_operation("rename_unique_constraint")
class RenameUniqueConstraintOp(RenameIndexOp):
    """Rename a unique constraint, which SQLite can only make anew."""

    @classmethod
    def rename_unique_constraint(
        cls,
        operations: Operations,
        old_name: str,
        new_name: str,
        *,
        table_name: str,
        columns: Sequence[str],
    ) -> None:
        """Rename a unique constraint of a table."""
        operations.invoke(cls(old_name, new_name, table_name=table_name, columns=columns))

    @override
    def reverse(self) -> "RenameUniqueConstraintOp":
        return RenameUniqueConstraintOp(
            self.new_name, self.old_name, table_name=self.table_name, columns=self.columns
        )


class ReversibleRenameTableOp(RenameTableOp):
    """A rename that knows its way back."""

    @override
    def reverse(self) -> "ReversibleRenameTableOp":
        return ReversibleRenameTableOp(self.new_table_name, self.table_name)


class RenameColumnOp(AlterColumnOp):
    """A rename of a column, which changes nothing else."""

    def __init__(
        self, table_name: str, column_name: str, new_name: str, column_type: TypeEngine[Any]
    ) -> None:
        super().__init__(table_name, column_name, existing_type=column_type, modify_name=new_name)
        self.new_name = new_name
        self.column_type = column_type

    @override
    def reverse(self) -> "RenameColumnOp":
        return RenameColumnOp(self.table_name, self.new_name, self.column_name, self.column_type)


# ------------------------------------------------------------------ what they do


@Operations.implementation_for(FillColumnOp)
def _fill(operations: Operations, operation: FillColumnOp) -> None:
    dialect = operations.impl.dialect
    quote = dialect.identifier_preparer.quote
    column = quote(operation.column_name)
    value = sql_of(operation.value, operation.generate, dialect.name)
    statement = (
        f"UPDATE {quote(operation.table_name)} SET {column} = {value} "  # noqa: S608 - quoted
        f"WHERE {column} IS NULL"
    )
    operations.execute(text(statement.replace(":", r"\:")))


@Operations.implementation_for(AddFilledColumnOp)
def _add_filled(operations: Operations, operation: AddFilledColumnOp) -> None:
    table, column = operation.table_name, operation.column
    if operation.generate is None and operations.impl.dialect.name == "postgresql":
        # A constant default is a note in the catalogue: no row is touched, however many.
        value = sql_of(operation.value, None, "postgresql")
        with_default = _copy(column, server_default=text(value.replace(":", r"\:")))
        operations.add_column(table, with_default)
        operations.alter_column(table, column.name, server_default=None)
        return
    operations.add_column(table, _copy(column, nullable=True))
    operations.invoke(
        FillColumnOp(table, column.name, value=operation.value, generate=operation.generate)
    )
    with operations.batch_alter_table(table) as batch:
        batch.alter_column(column.name, existing_type=column.type, nullable=False)


def _copy(column: Column[Any], **changes: Any) -> Column[Any]:
    kept = {"nullable": column.nullable, "comment": column.comment}
    return Column(column.name, column.type, **{**kept, **changes})


@Operations.implementation_for(RenameIndexOp)
def _rename_index(operations: Operations, operation: RenameIndexOp) -> None:
    if operations.impl.dialect.name == "postgresql":
        quote = operations.impl.dialect.identifier_preparer.quote
        old, new = quote(operation.old_name), quote(operation.new_name)
        operations.execute(f"ALTER INDEX {old} RENAME TO {new}")
        return
    operations.drop_index(operation.old_name, table_name=operation.table_name)
    operations.create_index(
        operation.new_name, operation.table_name, list(operation.columns), unique=operation.unique
    )


@Operations.implementation_for(RenameUniqueConstraintOp)
def _rename_unique(operations: Operations, operation: RenameUniqueConstraintOp) -> None:
    if operations.impl.dialect.name == "postgresql":
        quote = operations.impl.dialect.identifier_preparer.quote
        table = quote(operation.table_name)
        old, new = quote(operation.old_name), quote(operation.new_name)
        operations.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}")
        return
    with operations.batch_alter_table(operation.table_name) as batch:
        batch.drop_constraint(operation.old_name, type_="unique")
        batch.create_unique_constraint(operation.new_name, list(operation.columns))
