"""`ON CONFLICT DO UPDATE` is an update, too: what moves on update moves there."""

from typing import Any

from sqlalchemy import BindParameter, Column, Engine, bindparam
from sqlalchemy.sql.compiler import SQLCompiler


class _UpsertCompiler(SQLCompiler):
    """Writes upserts that set every column which moves on update and is not set by hand."""

    def visit_on_conflict_do_update(self, on_conflict: Any, **options: Any) -> str:
        written: Any = super()
        table: Any = self.current_executable.table
        given = on_conflict.update_values_to_set
        said = {getattr(key, "key", key) for key in given}
        missing = {
            column.key: _moved(column)
            for column in table.columns
            if column.onupdate is not None and column.key not in said
        }
        # A copy: the caller may use his statement again.
        completed = on_conflict._clone()  # noqa: SLF001 - SQLAlchemy copies its own clauses so
        completed.update_values_to_set = {**given, **missing}
        return str(written.visit_on_conflict_do_update(completed, **options))


def complete_upserts(engine: Engine) -> None:
    """Let upserts through the engine move `updated_at` and count `version` up.

    In its compiler, whose work SQLAlchemy keeps: an event would cost every statement.
    """
    compiler = engine.dialect.statement_compiler
    engine.dialect.statement_compiler = type(compiler.__name__, (_UpsertCompiler, compiler), {})


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
