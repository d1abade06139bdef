"""The type language of columns, such as `String(36)`, `Numeric(10, 2)` and `DateTime`."""

import math
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Dialect,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine
from typing_extensions import override

from timber.common.documents import closest

_WRITTEN: Final = re.compile(r"([A-Za-z]+)\s*(?:\(\s*([0-9]{1,6}(?:\s*,\s*[0-9]{1,6})*)\s*\))?")
_MAX_STRING: Final = 10_485_760  # PostgreSQL's own limit
_MAX_PRECISION: Final = 1000
_UUID_LENGTH: Final = len(str(uuid.UUID(int=0)))


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC and returned aware, in UTC, on every database.

    As everywhere in Python, a naive datetime is taken as the machine's local time.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = DateTime(timezone=True)
    cache_ok: bool | None = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if not isinstance(value, datetime):
            raise TypeError(f"a DateTime column takes a datetime, not {type(value).__name__}")
        moment = value.astimezone(UTC)
        # SQLite has no time zones: it keeps the digits of UTC.
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@dataclass(frozen=True)
class ColumnType:
    """One type as written in a model file."""

    name: str
    arguments: tuple[int, ...] = ()

    def build(self) -> TypeEngine[Any]:
        """Return the SQLAlchemy type."""
        return _KINDS[self.name].build(*self.arguments)

    def default_problem(self, default: object) -> str | None:
        """Return what is wrong with a default value for this type; None if nothing is."""
        if default == "uuid4":
            return self._uuid_problem()
        if default == "now" and self.name == "DateTime":
            return None
        kind = _KINDS[self.name]
        if not kind.accepts(default):
            return f"the default must be {kind.default_is}, for the type is {self.name}"
        if self.name == "String" and len(str(default)) > self.arguments[0]:
            return f"the default is longer than {self.arguments[0]}"
        return None

    def _uuid_problem(self) -> str | None:
        if self.name == "Text" or (self.name == "String" and self.arguments[0] >= _UUID_LENGTH):
            return None
        return f"uuid4 needs a column of type String({_UUID_LENGTH}) or longer"


@dataclass(frozen=True)
class _Kind:
    build: Callable[..., TypeEngine[Any]]
    accepts: Callable[[object], bool]
    default_is: str
    example: str | None = None
    limits: tuple[int, ...] = ()
    """The largest value of each argument."""


def parse_type(written: str) -> ColumnType:
    """Return the type that `written` stands for.

    Raises:
        ValueError: there is no such type, or its arguments are wrong.

    """
    match = _WRITTEN.fullmatch(written.strip())
    if match is None or match[1] not in _KINDS:
        hint = closest(written.partition("(")[0], TYPE_NAMES)
        raise ValueError(f"no type {written[:50]!r}, but {', '.join(TYPE_NAMES)}{hint}")
    name, listed = match[1], match[2]
    kind = _KINDS[name]
    arguments = tuple(int(part) for part in listed.split(",")) if listed else ()
    fits = len(arguments) == len(kind.limits) and all(
        argument <= limit for argument, limit in zip(arguments, kind.limits, strict=True)
    )
    if not fits or (arguments and arguments[0] < 1):
        raise ValueError(f"write the type {name} as {kind.example or name}")
    if name == "Numeric" and arguments[1] > arguments[0]:
        raise ValueError("a Numeric has no more digits behind the point than in all")
    return ColumnType(name, arguments)


def _is_json(value: object) -> bool:
    match value:
        case dict():
            return all(_is_json(item) for item in value.values())
        case list():
            return all(_is_json(item) for item in value)
        case float():
            return math.isfinite(value)
        case _:
            return value is None or isinstance(value, str | int)


def _is_integer(bits: int) -> Callable[[object], bool]:
    limit = 2 ** (bits - 1)
    return lambda value: (
        isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _json() -> TypeEngine[Any]:
    return JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


_KINDS: Final[Mapping[str, _Kind]] = MappingProxyType(
    {
        "String": _Kind(String, _is_text, "text", "String(36)", (_MAX_STRING,)),
        "Text": _Kind(Text, _is_text, "text"),
        "Integer": _Kind(Integer, _is_integer(32), "a whole number of 32 bits"),
        "BigInteger": _Kind(BigInteger, _is_integer(64), "a whole number of 64 bits"),
        "Float": _Kind(lambda: Float(53), _is_number, "a number"),
        "Numeric": _Kind(
            Numeric, _is_number, "a number", "Numeric(10, 2)", (_MAX_PRECISION, _MAX_PRECISION)
        ),
        "Boolean": _Kind(Boolean, lambda value: isinstance(value, bool), "true or false"),
        "DateTime": _Kind(UtcDateTime, lambda _: False, "now"),
        "Date": _Kind(Date, lambda value: isinstance(value, date), "left out"),
        "JSON": _Kind(_json, _is_json, "a mapping, a list, text, a number, true or false"),
        "LargeBinary": _Kind(LargeBinary, lambda _: False, "left out"),
    }
)

TYPE_NAMES: Final = tuple(_KINDS)
"""The names of all column types."""
