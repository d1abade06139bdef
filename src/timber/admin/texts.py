"""How values are written in forms, and read back: one `Text` for each type of column."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Self

from sqlalchemy import BigInteger, Column, Numeric, TypeDecorator
from sqlalchemy.types import TypeEngine

from timber.common.modeling.sealed import Sealed


@dataclass(frozen=True)
class Text:
    """Both ways between a value and the text that stands for it."""

    parse: Callable[[str], Any]
    """Raises ValueError with a message for the person who typed the text."""
    write: Callable[[Any], str]


class Unread(str):
    """What somebody typed that stands for no value, to be shown again with the `problem`."""

    __slots__ = ("problem",)
    problem: str

    def __new__(cls, typed: str, problem: str) -> Self:
        """Keep what was typed."""
        kept = super().__new__(cls, typed)
        kept.problem = problem
        return kept


def text_of(column: "Column[Any]") -> Text:
    """Return how the values of a column are written."""
    kind, stored = python_type(column), _plain_type(column)
    if kind is str:
        return _plain(getattr(stored, "length", None))
    if kind is int:
        return Text(_integer(64 if isinstance(stored, BigInteger) else 32), str)
    if kind is Decimal and isinstance(stored, Numeric):
        return Text(_decimal(stored.precision, stored.scale), str)
    return _BY_TYPE.get(kind, _JSON)


def python_type(column: "Column[Any]") -> type:
    """Return the Python type of a column's values; `dict` stands for any JSON."""
    kind = _plain_type(column)
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    try:
        found = kind.python_type
    except NotImplementedError:
        return dict
    return dict if found is object else found


def _plain_type(column: "Column[Any]") -> TypeEngine[Any]:
    """Return the type of a column's values, though they may be stored sealed."""
    kind = column.type
    return kind.column.plain if isinstance(kind, Sealed) else kind


def write_json(value: Any) -> str:
    """Return readable JSON."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _plain(longest: int | None) -> Text:
    def parse(typed: str) -> str:
        text = typed.replace("\r\n", "\n")
        if longest is not None and len(text) > longest:
            raise ValueError(f"{len(text)} characters, but at most {longest} fit: shorten it")
        if "\x00" in text:
            raise ValueError("a NUL character cannot be stored: take it out")
        return text

    return Text(parse, str)


def _integer(bits: int) -> Callable[[str], int]:
    limit = 2 ** (bits - 1)

    def parse(typed: str) -> int:
        try:
            number = int(typed)
        except ValueError:
            raise ValueError("not a whole number: write one such as 42") from None
        if not -limit <= number < limit:
            raise ValueError(f"out of range: write one from {-limit} to {limit - 1}")
        return number

    return parse


def _decimal(precision: int | None, scale: int | None) -> Callable[[str], Decimal]:
    def parse(typed: str) -> Decimal:
        try:
            number = Decimal(typed)
        except InvalidOperation:
            raise ValueError("not a number: write one such as 12.50") from None
        if not number.is_finite():
            raise ValueError("not a finite number: write one such as 12.50")
        if precision is None or scale is None:
            return number
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > scale:
            raise ValueError(f"at most {scale} digits fit behind the point: round it")
        if abs(number) >= Decimal(10) ** (precision - scale):
            raise ValueError(f"at most {precision - scale} digits fit before the point")
        return number

    return parse


def _float(typed: str) -> float:
    try:
        return float(typed)
    except ValueError:
        raise ValueError("not a number: write one such as 0.5") from None


def _boolean(typed: str) -> bool:
    known = {"true": True, "false": False}
    if typed not in known:
        raise ValueError("write true or false")
    return known[typed]


def _moment(typed: str) -> datetime:
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        raise ValueError("not a moment: write one such as 2026-01-31 13:45:00, in UTC") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _write_moment(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(" ", "seconds")


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise ValueError("not a day: write one such as 2026-01-31") from None


def _json(typed: str) -> Any:
    try:
        return json.loads(typed, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"not JSON ({place}: {error.msg}): mend it there") from None
    except RecursionError:
        raise ValueError("not JSON that can be read: nested too deep") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value: use null or a number")


def _bytes(typed: str) -> bytes:
    try:
        return base64.b64decode(typed, validate=True)
    except binascii.Error:
        raise ValueError("not base64: paste the bytes in base64") from None


_JSON: Final = Text(_json, write_json)
_BY_TYPE: Final = {
    float: Text(_float, str),
    bool: Text(_boolean, lambda value: "true" if value else "false"),
    datetime: Text(_moment, _write_moment),
    date: Text(_day, str),
    bytes: Text(_bytes, lambda value: base64.b64encode(value).decode()),
}
