"""`ON CONFLICT DO UPDATE` is an update, too: what moves on update moves there."""

from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, Engine, Insert, event, literal

_Executed: TypeAlias = tuple[Any, Any, Any]


def complete_upserts(engine: Engine) -> None:
    """Let upserts through the engine move `updated_at` and count `version` up."""
    event.listen(engine, "before_execute", _complete, retval=True)


def _complete(
    _connection: Connection, statement: Any, multiple: Any, single: Any, _options: Any
) -> _Executed:
    clause: Any = statement._post_values_clause if isinstance(statement, Insert) else None  # noqa: SLF001 - SQLAlchemy shows it nowhere else
    given = getattr(clause, "update_values_to_set", None)
    if clause is None or given is None:
        return statement, multiple, single
    table: Any = statement.table
    said = {getattr(key, "key", key) for key in given}
    missing = {
        column.key: _moved(column)
        for column in table.columns
        if column.onupdate is not None and column.key not in said
    }
    if missing:
        # Copies: the caller may use his statement again.
        clause = clause._clone()  # noqa: SLF001
        clause.update_values_to_set = {**given, **missing}
        statement = statement._clone()  # noqa: SLF001
        statement._post_values_clause = clause  # noqa: SLF001
    return statement, multiple, single


def _moved(column: Column[Any]) -> Any:
    default: Any = column.onupdate
    if default.is_clause_element:
        return default.arg
    return literal(default.arg(None) if default.is_callable else default.arg, column.type)
