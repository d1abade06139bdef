"""Alembic's context for one connection, set up so that values survive a change of type."""

from typing import Any, Final, TextIO

from alembic.ddl._autogen import ComparisonResult
from alembic.ddl.impl import DefaultImpl
from alembic.ddl.postgresql import PostgresqlImpl
from alembic.ddl.sqlite import SQLiteImpl
from alembic.migration import MigrationContext
from sqlalchemy import (
    CheckConstraint,
    ClauseElement,
    Column,
    Connection,
    Dialect,
    MetaData,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine
from typing_extensions import override

from timber.common.database.enum_values import checked_values, said_by, values_of
from timber.common.database.kinds import kind_of
from timber.common.database.schema import HISTORY_TABLE
from timber.common.migrations.conversions import conversion
from timber.common.migrations.same_conditions import say_the_same
from timber.common.migrations.server_defaults import differ
from timber.common.migrations.values import escaped, literal
from timber.common.modeling.base import NAMING

_NAMES: Final = MetaData(naming_convention=NAMING)
"""By which a step names the constraint that comes with a type, as the models do."""


class _Comparing(DefaultImpl):
    """Compares what is in the database with what the models say, on both databases."""

    @override
    def compare_server_default(
        self,
        inspector_column: Column[Any],
        metadata_column: Column[Any],
        rendered_metadata_default: str | None,
        rendered_inspector_default: str | None,
    ) -> bool:
        if metadata_column.primary_key and metadata_column.server_default is None:
            return False  # what counts by itself
        return differ(metadata_column, rendered_inspector_default, self.dialect)

    @override
    def compare_type(self, inspector_column: Column[Any], metadata_column: Column[Any]) -> bool:
        if values_of(inspector_column.type) != checked_values(metadata_column):
            return True
        return super().compare_type(inspector_column, metadata_column)

    @override
    def compare_check_constraint(
        self, metadata_constraint: CheckConstraint, reflected_constraint: CheckConstraint
    ) -> ComparisonResult:
        if getattr(metadata_constraint, "_type_bound", False):
            is_same = {*said_by(metadata_constraint)} == {*said_by(reflected_constraint)}
        else:
            is_same = self._say_the_same(metadata_constraint, reflected_constraint)
        if is_same:
            return ComparisonResult.Equal()
        return ComparisonResult.Different("another condition")

    def _say_the_same(self, said: CheckConstraint, there: CheckConstraint) -> bool:
        if self.connection is None:
            return True
        columns = {one.name: one for table in (there.table, said.table) for one in table.columns}
        conditions = (_condition(one, self.dialect) for one in (said, there))
        return say_the_same(self.connection, [*columns.values()], *conditions)


class _ConvertingSQLite(_Comparing, SQLiteImpl):
    """Converts values itself: a CAST of SQLite's makes 2020 of '2020-01-31', and 0 of 'none'."""

    @override
    def render_ddl_sql_expr(
        self, expr: ClauseElement, is_server_default: bool = False, **options: Any
    ) -> str:
        written = super().render_ddl_sql_expr(expr, is_server_default, **options)
        return _as_written(written, self.dialect)

    @override
    def cast_for_batch_migrate(
        self,
        existing: Column[Any],
        existing_transfer: dict[str, Any],
        new_type: TypeEngine[Any],
    ) -> None:
        name = self.dialect.identifier_preparer.quote(_name_now(existing_transfer, existing))
        how = conversion(name, existing.type, new_type, self.dialect)
        if not how.type_only:
            existing_transfer["expr"] = literal_column(how.expression)


class _ConvertingPostgreSQL(_Comparing, PostgresqlImpl):
    """Says how to convert values, where a step does not."""

    @override
    def render_ddl_sql_expr(
        self,
        expr: ClauseElement,
        is_server_default: bool = False,
        is_index: bool = False,
        **options: Any,
    ) -> str:
        written = super().render_ddl_sql_expr(expr, is_server_default, is_index, **options)
        return _as_written(written, self.dialect)

    @override
    def alter_column(self, table_name: str, column_name: str, **changes: Any) -> None:
        new, old = changes.get("type_"), changes.get("existing_type")
        if new is not None and old is not None:
            name = self.dialect.identifier_preparer.quote(column_name)
            how = conversion(name, old, new, self.dialect)
            if not how.type_only:
                # The driver takes a single one for a parameter.
                expression = how.expression if self.as_sql else how.expression.replace("%", "%%")
                changes.setdefault("postgresql_using", expression)
        if new is not None and changes.get("nullable"):
            # At once, for the conversion may leave nulls.
            super().alter_column(table_name, column_name, nullable=changes.pop("nullable"))
        super().alter_column(table_name, column_name, **changes)
        if new is not None and kind_of(new, self.dialect).name == "integer":
            self._widen_sequence(table_name, changes.get("name") or column_name, new)

    def _widen_sequence(self, table: str, column: str, new: TypeEngine[Any]) -> None:
        """Let what counts by itself count as far as its column can."""
        quoted = literal(self.dialect.identifier_preparer.quote(table))
        self._exec(
            text(
                "DO $$ DECLARE counter text; BEGIN "
                f"counter = pg_get_serial_sequence({quoted}, {literal(column)}); "
                "IF counter IS NOT NULL THEN EXECUTE 'ALTER SEQUENCE ' || counter || "
                f"' AS {new.compile(self.dialect)}'; END IF; END $$"
            )
        )


def migration_context(connection: Connection, **options: Any) -> MigrationContext:
    """Return the context of a connection, whose transactions stay its owner's business."""
    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "compare_server_default": True,
            "version_table": HISTORY_TABLE,
            "target_metadata": _NAMES,
            **options,
        },
    )
    _set_up(context)
    return context


def offline_context(dialect: Dialect, output: TextIO) -> MigrationContext:
    """Return a context that writes SQL instead of running it."""
    context = MigrationContext.configure(
        dialect=dialect,
        opts={
            "as_sql": True,
            "output_buffer": output,
            "literal_binds": True,
            "target_metadata": _NAMES,
        },
    )
    _set_up(context)
    return context


def _set_up(context: MigrationContext) -> None:
    kind = _ConvertingSQLite if context.dialect.name == "sqlite" else _ConvertingPostgreSQL
    context.impl = kind(
        context.dialect,
        context.connection,
        context.as_sql,
        transactional_ddl=True,
        output_buffer=context.output_buffer,
        context_opts=context.opts,
    )


def _as_written(sql: str, dialect: Dialect) -> str:
    """Return SQL for the text of a step, without what the driver would read out of it."""
    return escaped(_plain(sql, dialect))


def _plain(sql: str, dialect: Dialect) -> str:
    """Return SQL without the percent signs that are doubled for the driver."""
    percents = getattr(dialect.identifier_preparer, "_double_percents", False)
    return sql.replace("%%", "%") if percents else sql


def _condition(check: CheckConstraint, dialect: Dialect) -> str:
    options = {"literal_binds": True, "include_table": False}
    return _plain(str(check.sqltext.compile(dialect=dialect, compile_kwargs=options)), dialect)


def _name_now(transfer: dict[str, Any], existing: Column[Any]) -> str:
    """Return the column's name in the table that is copied from."""
    return str(getattr(transfer.get("expr"), "name", existing.name))
