"""What rows get that were there before their column, as SQL."""

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Column

UUID_LENGTH: Final = 36
_PARAMETER: Final = re.compile(r"(?<![:\w\\]):(?=\w+(?!:))")
_SQLITE_UUID: Final = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || "
    "substr(hex(randomblob(2)), 2) || '-' || substr('89ab', 1 + abs(random() % 4), 1) || "
    "substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)
_SQLITE_MILLISECONDS: Final = (
    "printf('%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))"
)
_POSTGRESQL_MILLISECONDS: Final = (
    "lpad(to_hex(CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)), 12, '0')"
)

GENERATED: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "uuid4": {"sqlite": _SQLITE_UUID, "postgresql": "CAST(gen_random_uuid() AS TEXT)"},
        "uuid7": {
            "sqlite": f"substr({_SQLITE_MILLISECONDS}, 1, 8) || '-' || "
            f"substr({_SQLITE_MILLISECONDS}, 9) || '-7' || substr({_SQLITE_UUID}, 16)",
            "postgresql": f"overlay(overlay(CAST(gen_random_uuid() AS TEXT) PLACING "
            f"substr({_POSTGRESQL_MILLISECONDS}, 1, 8) || '-' || "
            f"substr({_POSTGRESQL_MILLISECONDS}, 9) FROM 1) PLACING '7' FROM 15)",
        },
        # Whole seconds: in a process whose libraries leave the processor's floating point in
        # disorder, SQLite was seen to write the fraction of `%f` as NaN.
        "now": {"sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', 'now')", "postgresql": "now()"},
    }
)
"""By the default's name in a model file, then by dialect: a new value for each row."""


def default_of(column: Column[Any]) -> tuple[Any, str | None]:
    """Return the value, or the name of the generator, that fills a column; or two Nones."""
    default = column.info.get("default")
    if default is None and column.default is not None and column.default.is_scalar:
        default = getattr(column.default, "arg", None)
    if isinstance(default, str) and default in GENERATED:
        return None, default
    return default, None


def literal(value: object) -> str:
    """Return a value as both databases write it.

    Raises:
        TypeError: there is no way to write it.

    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return _quoted(_text_of(value))


def _text_of(value: object) -> str:
    match value:
        case str():
            return value
        case date():
            return value.isoformat()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be written as SQL")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def escaped(sql: str) -> str:
    """Return SQL for SQLAlchemy's `text()`, which takes `:x` for a parameter."""
    return _PARAMETER.sub(r"\:", sql)


def sql_of(value: object, generate: str | None, dialect_name: str) -> str:
    """Return the SQL of a value, or of what generates one.

    Raises:
        ValueError: no generator has that name.

    """
    if generate is None:
        return literal(value)
    if generate not in GENERATED:
        raise ValueError(f"no generator {generate!r}; there are: {', '.join(GENERATED)}")
    return GENERATED[generate][dialect_name]
