"""Where every value of a sealed column passes that an engine writes: what cannot be sealed stops.

SQLAlchemy's own compiler, and its own execution of statements, so that it costs nothing where
nothing is sealed: a statement is looked at once, when it is compiled.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Engine, bindparam
from sqlalchemy.sql.compiler import SQLCompiler
from typing_extensions import override

from timber.common.database.seal_plans import (
    INDEX_BIND,
    InsertPlan,
    UpdatePlan,
    plan_insert,
    plan_update,
)
from timber.common.database.seal_refusals import (
    SEALED_BEFORE,
    completed_upsert,
    name_of,
    refuse_aliases,
    refuse_comparison,
    refuse_indexes,
    refuse_moves,
    refuse_order,
    refuse_select,
    refuse_sql,
    refuse_within,
)
from timber.common.errors import PlaintextRefusedError
from timber.common.modeling.sealed import BlindIndex, Sealed
from timber.common.modeling.sealed_tables import SealedTable, sealed_of


def _looking_inside(name: str) -> Callable[..., str]:
    """Return the method of that name, which lets nothing pass that is sealed."""

    def visit(self: Any, element: Any, **options: Any) -> str:
        refuse_within(element)
        above: Any = super(_SealingCompiler, self)
        return str(getattr(above, name)(element, **options))

    return visit


class _SealingCompiler(SQLCompiler):
    """Finds out what of a statement is to be sealed."""

    sealing: InsertPlan | UpdatePlan | None = None

    @override
    def visit_insert(self, insert_stmt: Any, *args: Any, **options: Any) -> str:
        above: Any = super()
        sealed = sealed_of(insert_stmt.table)
        if sealed is None:
            refuse_aliases(insert_stmt.table)
            return str(above.visit_insert(insert_stmt, *args, **options))
        refuse_select(sealed, insert_stmt)
        if SEALED_BEFORE not in insert_stmt.get_execution_options():
            refuse_indexes(sealed, self.column_keys or ())
        for row in _rows(insert_stmt):
            refuse_indexes(sealed, set(map(name_of, row)))
            refuse_sql(sealed, row.items())
        written = str(above.visit_insert(insert_stmt, *args, **options))
        if not self.stack:
            self.sealing = plan_insert(self, insert_stmt.table, sealed)
        return written

    @override
    def visit_update(self, update_stmt: Any, *args: Any, **options: Any) -> str:
        above: Any = super()
        sealed = sealed_of(update_stmt.table)
        if sealed is None:
            refuse_aliases(update_stmt.table)
            return str(above.visit_update(update_stmt, *args, **options))
        given = _given(update_stmt)
        names = given.keys() | set(self.column_keys or ())
        refuse_indexes(sealed, names)
        refuse_moves(update_stmt.table, sealed, names)
        refuse_sql(sealed, given.items())
        update_stmt = _with_indexes(update_stmt, sealed, self.column_keys or ())
        written = str(above.visit_update(update_stmt, *args, **options))
        if not self.stack:
            self.sealing = plan_update(self, update_stmt.table, sealed)
        return written

    def visit_on_conflict_do_update(self, on_conflict: Any, **options: Any) -> str:
        above: Any = super()
        table: Any = self.current_executable.table
        sealed = sealed_of(table)
        if sealed is not None:
            on_conflict = completed_upsert(on_conflict, table, sealed)
        return str(above.visit_on_conflict_do_update(on_conflict, **options))

    @override
    def visit_binary(self, binary: Any, *args: Any, **options: Any) -> str:
        refuse_comparison(binary)
        above: Any = super()
        return str(above.visit_binary(binary, *args, **options))

    visit_function: Any = _looking_inside("visit_function")
    visit_cast: Any = _looking_inside("visit_cast")
    visit_case: Any = _looking_inside("visit_case")
    visit_over: Any = _looking_inside("visit_over")
    visit_withingroup: Any = _looking_inside("visit_withingroup")
    visit_extract: Any = _looking_inside("visit_extract")
    visit_tuple: Any = _looking_inside("visit_tuple")

    @override
    def visit_textual_label_reference(
        self, element: Any, within_columns_clause: bool = False, **options: Any
    ) -> str:
        state: Any = self.stack[-1].get("compile_state") if self.stack else None
        if state is not None:
            everything, sources, _ = state._label_resolve_dict  # noqa: SLF001 - nothing public tells
            found = (sources if within_columns_clause else everything).get(element.element)
            refuse_order((found,), "sorted or grouped")
        above: Any = super()
        return str(
            above.visit_textual_label_reference(
                element, within_columns_clause=within_columns_clause, **options
            )
        )

    @override
    def render_literal_value(self, value: Any, type_: Any) -> str:
        if isinstance(type_, Sealed):
            raise PlaintextRefusedError(f"{type_.column} is sealed, and is not written into SQL")
        above: Any = super()
        return str(above.render_literal_value(value, type_))

    @override
    def order_by_clause(self, select: Any, **options: Any) -> str:
        refuse_order(select._order_by_clauses, "sorted")  # noqa: SLF001 - nothing public tells
        above: Any = super()
        return str(above.order_by_clause(select, **options))

    @override
    def group_by_clause(self, select: Any, **options: Any) -> str:
        refuse_order(select._group_by_clauses, "grouped")  # noqa: SLF001 - nothing public tells
        above: Any = super()
        return str(above.group_by_clause(select, **options))


class _SealingContext:
    """Seals what a statement's plan tells, when all its values are there."""

    compiled: Any = None
    compiled_parameters: Any
    root_connection: Any

    def create_cursor(self) -> Any:
        above: Any = super()
        cursor = above.create_cursor()
        plan = getattr(self.compiled, "sealing", None)
        if plan is not None and not _has_defaults(self.compiled):
            # Nothing of SQLAlchemy comes between this and the making of the driver's values.
            try:
                plan.seal(self.compiled_parameters, self.root_connection)
            except BaseException:
                cursor.close()
                raise
        return cursor

    def _process_execute_defaults(self) -> None:
        above: Any = super()
        above._process_execute_defaults()  # noqa: SLF001 - it is this very method
        plan = getattr(self.compiled, "sealing", None)
        if plan is not None:
            plan.seal(self.compiled_parameters, self.root_connection)


def seal_writes(engine: Engine) -> None:
    """Have all that the engine writes into sealed columns sealed, or refused."""
    dialect: Any = engine.dialect
    compiler, context = dialect.statement_compiler, dialect.execution_ctx_cls
    dialect.statement_compiler = type(compiler.__name__, (_SealingCompiler, compiler), {})
    dialect.execution_ctx_cls = type(context.__name__, (_SealingContext, context), {})


def _has_defaults(compiled: Any) -> bool:
    return bool(compiled.insert_prefetch or compiled.update_prefetch)


def _rows(insert: Any) -> Iterator[Mapping[Any, Any]]:
    """Give the rows that an INSERT holds itself, by their columns."""
    yield insert._values or {}  # noqa: SLF001 - nothing public tells
    for rows in insert._multi_values:  # noqa: SLF001 - as above
        for row in rows:
            if isinstance(row, Mapping):
                yield row
            else:
                yield dict(zip(insert.table.columns, row, strict=False))


def _given(update: Any) -> dict[str, Any]:
    """Return what an UPDATE itself sets, by the names of the columns."""
    ordered = getattr(update, "_ordered_values", None) or ()  # as SQLAlchemy 2.0 has them
    set_ = {name_of(one): value for one, value in (update._values or {}).items()}  # noqa: SLF001 - nothing public tells
    return set_ | {name_of(one): value for one, value in ordered}


def _with_indexes(update: Any, sealed: SealedTable, keys: Iterable[str]) -> Any:
    """Return an UPDATE that writes the indexes of the columns it writes, too."""
    given = _given(update).keys() | set(keys)
    indexes = {
        update.table.c[column.index]: bindparam(f"{INDEX_BIND}{name}", None, type_=BlindIndex())
        for name, column in sealed.columns.items()
        if column.index is not None and name in given
    }
    return update.values(indexes) if indexes else update
