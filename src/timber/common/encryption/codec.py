"""Values as bytes: a tag that says the type, and the value, as its plain column would keep it.

What is read is what was written, of the same type: nothing is guessed from the text.
"""

import json
import operator
import struct
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Date,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Time,
    Uuid,
)
from sqlalchemy.types import TypeEngine

from timber.common.errors import EncryptionError, TamperedError
from timber.common.modeling.column_types import UtcDateTime
from timber.common.modeling.stored_types import Vector

_LENGTH: Final = struct.Struct(">I")
_BITS: Final = {SmallInteger: 16, BigInteger: 64}
_JSON: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@dataclass(frozen=True)
class Codec:
    """Writes the values of one column as bytes, and reads them again."""

    tag: bytes
    write: Callable[[Any], bytes]
    """Raises a ValueError, TypeError, ArithmeticError or LookupError where it does not fit."""
    read: Callable[[bytes], Any]

    def dumps(self, value: Any) -> bytes:
        """Return a value that is not None as bytes; raises as `write`."""
        return self.tag + self.write(value)

    def loads(self, written: bytes) -> Any:
        """Return what `dumps` was given.

        Raises:
            EncryptionError: it was written for a column of another type.

        """
        if written[:1] != self.tag:
            raise EncryptionError("it was sealed as a value of another type: run the migration")
        try:
            return self.read(written[1:])
        except (ValueError, ArithmeticError, struct.error):
            raise TamperedError("what was sealed cannot be read") from None


def codec_of(kind: TypeEngine[Any]) -> Codec:
    """Return how the values of a column of that type are written.

    Raises:
        TypeError: values of the type cannot be sealed.

    """
    for known, build in _BUILDERS:
        if isinstance(kind, known):
            return build(kind)
    raise TypeError(f"a column of type {kind!r} cannot be sealed")


def _text(kind: String) -> Codec:
    limit = kind.length

    def write(value: Any) -> bytes:
        if not isinstance(value, str):
            raise TypeError("not a text")
        if limit is not None and len(value) > limit:
            raise ValueError("too long")
        return value.encode()

    return Codec(b"s", write, bytes.decode)


def _enum(kind: Enum) -> Codec:
    members = frozenset(kind.enums)

    def write(value: Any) -> bytes:
        if value not in members:
            raise LookupError("no value of the Enum")
        return str.encode(value)

    return Codec(b"s", write, bytes.decode)


def _binary(_: TypeEngine[Any]) -> Codec:
    def write(value: Any) -> bytes:
        return bytes(memoryview(value))

    return Codec(b"b", write, bytes)


def _integer(kind: Integer) -> Codec:
    limit = 1 << (_bits(kind) - 1)

    def write(value: Any) -> bytes:
        if isinstance(value, bool):
            raise TypeError("not a number")
        number = operator.index(value)
        if not -limit <= number < limit:
            raise OverflowError
        return str(number).encode()

    return Codec(b"i", write, int)


def _bits(kind: TypeEngine[Any]) -> int:
    return next((bits for one, bits in _BITS.items() if isinstance(kind, one)), 32)


def _float(_: TypeEngine[Any]) -> Codec:
    def write(value: Any) -> bytes:
        if isinstance(value, bool | str | bytes):
            raise TypeError("not a number")
        return repr(float(value)).encode()

    return Codec(b"f", write, float)


def _numeric(kind: Numeric[Any]) -> Codec:
    step = Decimal(1).scaleb(-(kind.scale or 0))
    limit = Decimal(10) ** ((kind.precision or 1000) - (kind.scale or 0))

    def write(value: Any) -> bytes:
        if isinstance(value, bool | str | bytes):
            raise TypeError("not a number")
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if number.is_nan():
            return b"NaN"
        if number.is_infinite() or abs(number) >= limit:
            raise OverflowError
        # As PostgreSQL does; Python's own context would cut long ones.
        digits = max(number.adjusted(), 0) + (kind.scale or 0) + 2
        rounded = number.quantize(step, ROUND_HALF_UP, Context(prec=max(digits, 28)))
        if abs(rounded) >= limit:
            raise OverflowError
        return str(rounded).encode()

    return Codec(b"n", write, lambda written: Decimal(written.decode()))


def _boolean(_: TypeEngine[Any]) -> Codec:
    def write(value: Any) -> bytes:
        if value is not True and value is not False and value not in {0, 1}:
            raise ValueError("neither true nor false")
        return b"1" if value else b"0"

    return Codec(b"t", write, lambda written: written == b"1")


def _moment(_: TypeEngine[Any]) -> Codec:
    def write(value: Any) -> bytes:
        if not isinstance(value, datetime):
            raise TypeError("not a moment")
        return value.astimezone(UTC).replace(tzinfo=None).isoformat().encode()

    def read(written: bytes) -> datetime:
        return datetime.fromisoformat(written.decode()).replace(tzinfo=UTC)

    return Codec(b"m", write, read)


def _date(_: TypeEngine[Any]) -> Codec:
    def write(value: Any) -> bytes:
        if isinstance(value, datetime):
            value = value.date()
        if not isinstance(value, date):
            raise TypeError("not a date")
        return value.isoformat().encode()

    return Codec(b"d", write, lambda written: date.fromisoformat(written.decode()))


def _time(_: TypeEngine[Any]) -> Codec:
    def write(value: Any) -> bytes:
        if not isinstance(value, time):
            raise TypeError("not a time")
        return value.replace(tzinfo=None, fold=0).isoformat().encode()

    return Codec(b"h", write, lambda written: time.fromisoformat(written.decode()))


def _interval(_: TypeEngine[Any]) -> Codec:
    def write(value: Any) -> bytes:
        if not isinstance(value, timedelta):
            raise TypeError("not an interval")
        return f"{value.days} {value.seconds} {value.microseconds}".encode()

    return Codec(b"v", write, lambda written: timedelta(*map(int, written.split())))


def _uuid(_: TypeEngine[Any]) -> Codec:
    def write(value: Any) -> bytes:
        return (value if isinstance(value, UUID) else UUID(value)).bytes

    return Codec(b"u", write, lambda written: UUID(bytes=written))


def _json(_: TypeEngine[Any]) -> Codec:
    def write(value: Any) -> bytes:
        return _JSON.encode(None if value is JSON.NULL else value).encode()

    return Codec(b"j", write, json.loads)


def _vector(kind: Vector) -> Codec:
    form = struct.Struct(f"<{kind.dimensions}f")

    def write(value: Any) -> bytes:
        numbers = array("f", value)
        if len(numbers) != kind.dimensions:
            raise ValueError("another number of dimensions")
        return form.pack(*numbers)

    return Codec(b"x", write, lambda written: list(form.unpack(written)))


def _array(kind: "ARRAY[Any]") -> Codec:
    item = codec_of(kind.item_type)

    def write(value: Any) -> bytes:
        if not isinstance(value, list | tuple):
            raise TypeError("not a list")
        items = [b"" if one is None else item.dumps(one) for one in value]
        return b"".join(_LENGTH.pack(len(one)) + one for one in items)

    def read(written: bytes) -> list[Any]:
        found, at = [], 0
        while at < len(written):
            (length,) = _LENGTH.unpack_from(written, at)
            at += _LENGTH.size
            found.append(item.loads(written[at : at + length]) if length else None)
            at += length
        return found

    return Codec(b"a", write, read)


_BUILDERS: Final[tuple[tuple[type[Any], Callable[[Any], Codec]], ...]] = (
    (Enum, _enum),
    (String, _text),
    (LargeBinary, _binary),
    (Integer, _integer),
    (Float, _float),
    (Numeric, _numeric),
    (Boolean, _boolean),
    (UtcDateTime, _moment),
    (Date, _date),
    (Time, _time),
    (Interval, _interval),
    (Uuid, _uuid),
    (JSON, _json),
    (Vector, _vector),
    (ARRAY, _array),
)
"""The first type that fits decides."""
