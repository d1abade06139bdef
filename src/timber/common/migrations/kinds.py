"""What a column holds, whatever database declared its type."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Dialect, types
from sqlalchemy.types import TypeDecorator, TypeEngine

Name = Literal["text", "integer", "float", "numeric", "boolean", "moment", "date", "json", "other"]

_BITS: Final = {types.SmallInteger: 16, types.BigInteger: 64}
_NAMES: Final[dict[type[TypeEngine[Any]], Name]] = {
    types.Boolean: "boolean",
    types.Date: "date",
    types.JSON: "json",
}


@dataclass(frozen=True)
class Kind:
    """A kind of value, with the limits that decide whether a value fits."""

    name: Name
    length: int | None = None
    """Of a text: how many characters it may have; None: any number."""
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
    if isinstance(column_type, types.Enum):
        return _other(column_type, dialect)
    if isinstance(column_type, types.String):
        return Kind("text", length=column_type.length)
    if isinstance(column_type, types.Numeric | types.Float | types.Integer):
        return _number(column_type)
    if isinstance(column_type, types.DateTime):
        return Kind("moment", zoned=dialect.name == "sqlite" or bool(column_type.timezone))
    for known, name in _NAMES.items():
        if isinstance(column_type, known):
            return Kind(name)
    return _other(column_type, dialect)


def _number(column_type: TypeEngine[Any]) -> Kind:
    if isinstance(column_type, types.Float):
        return Kind("float")
    if isinstance(column_type, types.Numeric):
        return Kind("numeric", precision=column_type.precision, scale=column_type.scale or 0)
    bits = (bits for known, bits in _BITS.items() if isinstance(column_type, known))
    return Kind("integer", bits=next(bits, 32))


def _other(column_type: TypeEngine[Any], dialect: Dialect) -> Kind:
    return Kind("other", written=column_type.compile(dialect))
