"""How the values of a column become values of another type, and which of them do not fit."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.types import TypeEngine

from timber.common.database.enum_values import condition_for
from timber.common.database.kinds import Kind, kind_of
from timber.common.migrations.conversion_sql import Conversion, ConversionSQL


def conversion(
    column: str, old: TypeEngine[Any], new: TypeEngine[Any], dialect: Dialect
) -> Conversion:
    """Return how to convert a column, whose name is given as in SQL.

    Where nothing of a value can be kept, as of a JSON that is to be a date, it becomes null.
    """
    before, after = kind_of(old, dialect), kind_of(new, dialect)
    if before == after:
        return Conversion(column, type_only=True)
    target = new.compile(dialect)
    sql = ConversionSQL(column, is_sqlite=dialect.name == "sqlite", target=target)
    build: Callable[[Kind, Kind], Conversion] | None = getattr(
        sql, f"{before.name}_to_{after.name}", None
    )
    if build is None or (sql.is_sqlite and before.name == "other"):
        return Conversion(f"CAST(NULL AS {target})", "true", leaves_null=True)
    if not after.values:
        return build(before, after)
    if before.values and before.values <= after.values:
        return Conversion(column, type_only=True)
    return _one_of(build(before, Kind("text")).expression, sorted(after.values))


def _one_of(text: str, values: Iterable[str]) -> Conversion:
    fits = condition_for(text, values)
    return Conversion(f"CASE WHEN {fits} THEN {text} END", f"NOT ({fits})", leaves_null=True)
