"""Where every value of a sealed column passes that an engine writes: what cannot be sealed stops.

SQLAlchemy's own compiler and its own execution of statements, so that it costs nothing where
nothing is sealed: a statement is looked at once, when it is compiled.
"""

from typing import Any

from sqlalchemy import Engine, bindparam
from sqlalchemy.sql.compiler import SQLCompiler

from timber.common.database.seal_plans import (
    INDEX_BIND,
    InsertPlan,
    UpdatePlan,
    plan_insert,
    plan_update,
)
from timber.common.modeling.sealed import BlindIndex
from timber.common.modeling.sealed_tables import SealedTable, sealed_of


class _SealingCompiler(SQLCompiler):
    """Finds out what of a statement is to be sealed."""

    sealing: InsertPlan | UpdatePlan | None = None

    def visit_insert(self, insert_stmt: Any, *args: Any, **options: Any) -> str:
        written: str = super().visit_insert(insert_stmt, *args, **options)
        sealed = sealed_of(insert_stmt.table)
        if sealed is not None and not self.stack:
            self.sealing = plan_insert(self, insert_stmt.table, sealed)
        return written

    def visit_update(self, update_stmt: Any, *args: Any, **options: Any) -> str:
        sealed = sealed_of(update_stmt.table)
        if sealed is None:
            return str(super().visit_update(update_stmt, *args, **options))
        update_stmt = _with_indexes(update_stmt, sealed, self.column_keys or ())
        written: str = super().visit_update(update_stmt, *args, **options)
        if not self.stack:
            self.sealing = plan_update(self, update_stmt.table, sealed)
        return written


class _SealingContext:
    """Seals what a statement's plan tells, when all its values are there."""

    compiled: Any = None
    compiled_parameters: Any
    root_connection: Any

    def create_cursor(self) -> Any:
        cursor = super().create_cursor()  # type: ignore[misc] - the dialect's own stands behind
        plan = getattr(self.compiled, "sealing", None)
        if plan is not None:
            compiled = self.compiled
            if not (compiled.insert_prefetch or compiled.update_prefetch):
                try:
                    plan.seal(self.compiled_parameters, self.root_connection)
                except BaseException:
                    cursor.close()
                    raise
        return cursor

    def _process_execute_defaults(self) -> None:
        super()._process_execute_defaults()  # type: ignore[misc] - as above
        plan = getattr(self.compiled, "sealing", None)
        if plan is not None:
            plan.seal(self.compiled_parameters, self.root_connection)


def seal_writes(engine: Engine) -> None:
    """Have all that the engine writes into sealed columns sealed, or refused."""
    dialect: Any = engine.dialect
    compiler, context = dialect.statement_compiler, dialect.execution_ctx_cls
    dialect.statement_compiler = type(compiler.__name__, (_SealingCompiler, compiler), {})
    dialect.execution_ctx_cls = type(context.__name__, (_SealingContext, context), {})


def _with_indexes(update: Any, sealed: SealedTable, keys: Any) -> Any:
    """Return an UPDATE that writes the indexes of the columns it writes, too."""
    given = {getattr(one, "key", one) for one in (update._values or ())} | set(keys)  # noqa: SLF001 - nothing public tells
    given |= {
        getattr(one, "key", one) for one, _ in getattr(update, "_ordered_values", None) or ()
    }
    indexes = {
        column.index: bindparam(f"{INDEX_BIND}{name}", None, type_=BlindIndex())
        for name, column in sealed.columns.items()
        if column.index is not None and name in given
    }
    return update.values(indexes) if indexes else update
