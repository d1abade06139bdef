"""The kinds of columns: what SQLAlchemy builds for each, and which defaults it takes."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import (
    CHAR,
    JSON,
    BigInteger,
    Boolean,
    Date,
    Double,
    Float,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Text,
    Time,
    Unicode,
    UnicodeText,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from timber.common.modeling.stored_types import UtcDateTime, Vector

_MAX_STRING: Final = 10_485_760  # PostgreSQL's own limit
_MAX_PRECISION: Final = 1000
_MAX_DIMENSIONS: Final = 16_000  # pgvector's own limit

Literal: TypeAlias = Callable[[Any], Any]
"""Returns a default as Python has it; raises `ValueError` or `TypeError` if it cannot be one."""


@dataclass(frozen=True)
class Kind:
    """One kind of column."""

    build: Callable[..., TypeEngine[Any]]
    literal: Literal
    default_is: str
    """What a default must be, in words."""
    example: str | None = None
    limits: tuple[int, ...] = ()
    """The largest value of each argument."""


def _refused(_: object) -> Any:
    raise ValueError


def _is(*kinds: type) -> Literal:
    def literal(value: object) -> object:
        # True is an int to Python, and to nobody else.
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise TypeError
        return value

    return literal


def _integer(bits: int) -> Literal:
    limit = 2 ** (bits - 1)

    def literal(value: object) -> int:
        number = int(_is(int)(value))
        if not -limit <= number < limit:
            raise ValueError
        return number

    return literal


def _number(value: object) -> float:
    number = _is(int, float)(value)
    if not math.isfinite(number):
        raise ValueError
    return float(number)


def _decimal(value: object) -> Decimal:
    return Decimal(str(value if isinstance(value, int) else _number(value)))


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_is(str)(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(value: object) -> object:
    match value:
        case dict():
            return {key: _json(item) for key, item in value.items()}
        case list():
            return [_json(item) for item in value]
        case float():
            return _number(value)
        case _:
            return value if value is None else _is(str, int, bool)(value)


def _json_type() -> TypeEngine[Any]:
    return JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


_TEXT: Final = _is(str)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "String": Kind(String, _TEXT, "text", "String(36)", (_MAX_STRING,)),
        "Unicode": Kind(Unicode, _TEXT, "text", "Unicode(36)", (_MAX_STRING,)),
        "CHAR": Kind(CHAR, _TEXT, "text", "CHAR(2)", (_MAX_STRING,)),
        "Text": Kind(Text, _TEXT, "text"),
        "UnicodeText": Kind(UnicodeText, _TEXT, "text"),
        "SmallInteger": Kind(SmallInteger, _integer(16), "a whole number of 16 bits"),
        "Integer": Kind(Integer, _integer(32), "a whole number of 32 bits"),
        "BigInteger": Kind(BigInteger, _integer(64), "a whole number of 64 bits"),
        "Float": Kind(lambda: Float(53), _number, "a number"),
        "Double": Kind(Double, _number, "a number"),
        "Numeric": Kind(
            Numeric, _decimal, "a number", "Numeric(10, 2)", (_MAX_PRECISION, _MAX_PRECISION)
        ),
        "Boolean": Kind(Boolean, _is(bool), "true or false"),
        "DateTime": Kind(UtcDateTime, _moment, "now, or as 2030-12-31T23:59:59Z"),
        "Date": Kind(
            Date, lambda value: date.fromisoformat(_TEXT(value)), "now, or as 2030-12-31"
        ),
        "Time": Kind(Time, lambda value: time.fromisoformat(_TEXT(value)), "as 23:59:59"),
        "Interval": Kind(
            Interval, lambda value: timedelta(seconds=_number(value)), "a number of seconds"
        ),
        "Uuid": Kind(Uuid, lambda value: UUID(_TEXT(value)), "uuid4, uuid7 or a UUID"),
        "JSON": Kind(_json_type, _json, "a mapping, a list, text, a number, true or false"),
        "LargeBinary": Kind(LargeBinary, _refused, "left out"),
        "Vector": Kind(Vector, _refused, "left out", "Vector(384)", (_MAX_DIMENSIONS,)),
    }
)
"""Every kind that stands alone; `Enum` and `Array` are made of others."""
