"""Which columns can be copied into PostgreSQL in its own binary form, and as what."""

from typing import Any, Final

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Enum,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

_NAMES: Final[tuple[tuple[type[TypeEngine[Any]], str], ...]] = (
    (SmallInteger, "int2"),
    (BigInteger, "int8"),
    (Integer, "int4"),
    (Boolean, "bool"),
    (Date, "date"),
    (Float, "float8"),
    (JSONB, "jsonb"),
    (LargeBinary, "bytea"),
    (String, "text"),
)
"""PostgreSQL's name of each kind; the first that fits counts."""

_SINGLE_PRECISION: Final = 24


def binary_types(columns: tuple[Column[Any], ...], dialect: Dialect) -> list[str] | None:
    """Return PostgreSQL's names of the columns' types; None if one is better sent as text.

    In binary form PostgreSQL converts nothing: an int stays an int, a name must be exact.
    """
    names = [_binary_type(column, dialect) for column in columns]
    return [name for name in names if name] if all(names) else None


def _binary_type(column: Column[Any], dialect: Dialect) -> str | None:
    kind: TypeEngine[Any] = column.type.dialect_impl(dialect)
    if isinstance(kind, TypeDecorator):
        kind = kind.load_dialect_impl(dialect)
    if isinstance(kind, Enum | REAL):
        return None
    if isinstance(kind, Float) and (kind.precision or _SINGLE_PRECISION + 1) <= _SINGLE_PRECISION:
        return None
    if isinstance(kind, DateTime):
        return "timestamptz" if kind.timezone else "timestamp"
    return next((name for one, name in _NAMES if isinstance(kind, one)), None)
