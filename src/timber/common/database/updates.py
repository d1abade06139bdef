"""What SQLAlchemy does not take for an update of a table moves what moves on update, too.

That is `ON CONFLICT DO UPDATE`, and the update of an alias.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Alias, BindParameter, Column, Engine, bindparam
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.util import ClauseAdapter
from typing_extensions import override


class _UpdateCompiler(SQLCompiler):
    """Writes updates that set every column which moves on update and is not set by hand."""

    def visit_on_conflict_do_update(self, on_conflict: Any, **options: Any) -> str:
        written: Any = super()
        given = on_conflict.update_values_to_set
        table: Any = self.current_executable.table
        missing = _missing(table.columns, given)
        # A copy: the caller may use his statement again.
        completed = on_conflict._clone()  # noqa: SLF001 - SQLAlchemy copies its own clauses so
        completed.update_values_to_set = {**given, **missing}
        return str(written.visit_on_conflict_do_update(completed, **options))

    @override
    def visit_update(self, update_stmt: Any, visiting_cte: Any = None, **options: Any) -> str:
        written: Any = super()
        alias = table = update_stmt.table
        while isinstance(table, Alias):
            table = table.element
        if alias is not table:
            given = update_stmt._values or {}  # noqa: SLF001 - there is no other name for them
            missing = _missing(table.columns, [*given, *(self.column_keys or ())])
            adapted = ClauseAdapter(alias)
            update_stmt = update_stmt._clone()  # noqa: SLF001 - as above
            update_stmt._values = {  # noqa: SLF001 - as above
                **given,
                **{alias.columns[key]: adapted.traverse(new) for key, new in missing.items()},
            }
        return str(written.visit_update(update_stmt, visiting_cte, **options))


def complete_updates(engine: Engine) -> None:
    """Let every update through the engine move `updated_at` and count `version` up.

    In its compiler, whose work SQLAlchemy keeps: an event would cost every statement.
    """
    compiler = engine.dialect.statement_compiler
    engine.dialect.statement_compiler = type(compiler.__name__, (_UpdateCompiler, compiler), {})


def _missing(columns: Iterable[Column[Any]], given: Iterable[Any]) -> dict[str, Any]:
    said = {getattr(key, "key", key) for key in given}
    return {
        column.key: _moved(column)
        for column in columns
        if column.onupdate is not None and column.key not in said
    }


def _moved(column: Column[Any]) -> Any:
    default: Any = column.onupdate
    if default.is_clause_element:
        return default.arg
    if default.is_callable:
        return _called(column, default)
    return bindparam(None, default.arg, type_=column.type)


def _called(column: Column[Any], default: Any) -> BindParameter[Any]:
    """Return what is called at every execution of the statement."""
    return bindparam(None, type_=column.type, callable_=lambda: default.arg(None))
