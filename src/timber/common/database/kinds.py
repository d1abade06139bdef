"""What a column holds, whatever database declared its type."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Dialect, types
from sqlalchemy.types import TypeDecorator, TypeEngine

Name = Literal[
    "text", "integer", "float", "numeric", "boolean", "moment", "date", "json", "binary", "other"
]

_BITS: Final = {types.SmallInteger: 16, types.BigInteger: 64}


@dataclass(frozen=True)
class Kind:
    """A kind of value, with the limits that decide whether a value fits."""

    name: Name
    length: int | None = None
    """Of a text: how many characters it may have; None: any number."""
    values: frozenset[str] = frozenset()
    """Of a text: which it may be; none: any."""
    bits: int = 32
    """Of an integer."""
    precision: int | None = None
    """Of a numeric: how many digits; None: any number."""
    scale: int = 0
    """Of a numeric: how many of the digits stand behind the point."""
    zoned: bool = True
    """Of a moment: whether its time zone is stored with it."""
    written: str = ""
    """Of any other: its name in SQL."""


def kind_of(column_type: TypeEngine[Any], dialect: Dialect) -> Kind:
    """Return the kind of values that a column of the type holds."""
    while isinstance(column_type, TypeDecorator):
        column_type = column_type.load_dialect_impl(dialect)
    column_type = column_type.dialect_impl(dialect)
    for known, build in _BUILDERS.items():
        if isinstance(column_type, known):
            return build(column_type, dialect)
    return _other(column_type, dialect)


def _enum(column_type: types.Enum, dialect: Dialect) -> Kind:
    if column_type.native_enum and dialect.name == "postgresql":
        return _other(column_type, dialect)
    return Kind("text", length=column_type.length, values=frozenset(column_type.enums))


def _numeric(column_type: types.Numeric[Any], _dialect: Dialect) -> Kind:
    return Kind("numeric", precision=column_type.precision, scale=column_type.scale or 0)


def _moment(column_type: types.DateTime, dialect: Dialect) -> Kind:
    return Kind("moment", zoned=dialect.name == "sqlite" or bool(column_type.timezone))


def _integer(column_type: TypeEngine[Any], _dialect: Dialect) -> Kind:
    bits = (bits for known, bits in _BITS.items() if isinstance(column_type, known))
    return Kind("integer", bits=next(bits, 32))


def _other(column_type: TypeEngine[Any], dialect: Dialect) -> Kind:
    unknown = isinstance(column_type, types.NullType)
    return Kind("other", written="" if unknown else column_type.compile(dialect))


_BUILDERS: Final[dict[type[TypeEngine[Any]], Callable[[Any, Dialect], Kind]]] = {
    types.Enum: _enum,
    types.String: lambda one, _: Kind("text", length=one.length),
    types.Float: lambda _, __: Kind("float"),
    types.Numeric: _numeric,
    types.Integer: _integer,
    types.Boolean: lambda _, __: Kind("boolean"),
    types.DateTime: _moment,
    types.Date: lambda _, __: Kind("date"),
    types.JSON: lambda _, __: Kind("json"),
    types.LargeBinary: lambda _, __: Kind("binary"),
}
"""The first type that fits decides."""
