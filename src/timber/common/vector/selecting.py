"""Statements of SQLAlchemy's that the driver is asked: made once, as that takes the longest."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import BindParameter, Dialect, Enum, Float, Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from timber.common.modeling.sealed import Sealed
from timber.common.vector.steps import Asked

_Change = Callable[[Any], Any]

DIALECTS: Final[dict[str, Dialect]] = {
    "sqlite": SQLiteDialect_pysqlite(paramstyle="named"),
    "postgresql": PGDialect_psycopg(),  # type: ignore[no-untyped-call]
}
"""As `steps` has the parameters."""

_FLOAT8: Final = 701
_NUMERIC: Final = 1700
"""How PostgreSQL numbers the types of numbers with a fraction."""


class Selecting:
    """A statement that selects, to be yielded as a step, and to read what is sent back."""

    def __init__(self, statement: Select[Any], dialect: str) -> None:
        """Compile a statement for a kind of database."""
        compiled = statement.compile(dialect=DIALECTS[dialect])
        self._sql = str(compiled)
        self._writes = {
            name: change
            for name, one in compiled.binds.items()
            if (change := _bind_change(one, compiled.dialect))
        }
        self._constants = {
            name: value if value is None else self._written(name, value)
            for name, value in compiled.params.items()
        }
        self._reads = {
            name: change
            for name, one in statement.selected_columns.items()
            if (change := _result_change(one, compiled.dialect))
        }

    def asked(self, **given: Any) -> Asked:
        """Return what is asked, with the parameters that have no value yet."""
        written = {name: self._written(name, value) for name, value in given.items()}
        return Asked(self._sql, {**self._constants, **written})

    def _written(self, parameter: str, value: Any) -> Any:
        change = self._writes.get(parameter)
        return value if change is None else change(value)

    def reading(self, column: str) -> Callable[[Any], Any]:
        """Return what tells what the values of a column stand for; what is sealed stays so."""
        return self._reads.get(column, _as_it_is)


def _as_it_is(value: Any) -> Any:
    return value


def _bind_change(parameter: BindParameter[Any], dialect: Dialect) -> _Change | None:
    return parameter.type.dialect_impl(dialect).bind_processor(dialect)


def _result_change(column: Any, dialect: Dialect) -> _Change | None:
    if isinstance(column.type, Sealed):
        return None
    kind = column.type.dialect_impl(dialect)
    oid = _FLOAT8 if isinstance(kind, Float) else _NUMERIC  # others do not ask
    change: _Change | None = kind.result_processor(dialect, oid)
    if change is not None and isinstance(kind, Enum) and dialect.name == "postgresql":
        named = change  # its binary form is the name
        return lambda sent: named(sent if sent is None else sent.decode())
    return change
