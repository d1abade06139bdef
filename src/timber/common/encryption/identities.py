"""What a sealed value is bound to: its table and column, its row, and whose row it is."""

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import (
    CHAR,
    Boolean,
    Column,
    Date,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    String,
    Time,
    Uuid,
)
from sqlalchemy.types import TypeEngine

from timber.common.errors import EncryptionError
from timber.common.modeling.column_types import UtcDateTime

_LENGTH: Final = struct.Struct(">cI")
_NOTHING: Final = _LENGTH.pack(b"0", 0)

Spell: TypeAlias = Callable[[Any], tuple[bytes, str | bytes]]


@dataclass(frozen=True, kw_only=True)
class SealTarget:
    """The place of one sealed value."""

    table: str
    column: str
    key: tuple[Any, ...]
    """The values of the row's primary key, in the table's order."""
    link: Any = field(default=None, repr=False)
    """The value of the column by which the row belongs to a person; None: it has none."""
    subject: str | None = None
    """Whose row it is, as a keystore names him; None: whose the key is."""


def part(tag: bytes, value: str | bytes) -> bytes:
    """Return a part of what a value is bound to: no two lists of parts have the same bytes."""
    written = value.encode() if isinstance(value, str) else value
    return _LENGTH.pack(tag, len(written)) + written


class Spelling:
    """How values of a column of a primary key, or of a link, are spelled.

    So that what is given for it and what is read of it later are the same; what the database
    would keep otherwise than it is given is refused.
    """

    def __init__(self, column: Column[Any]) -> None:
        self._name = str(column)
        self._spell = _spell_of(column.type)
        self._most: int = getattr(column.type, "length", None) or sys.maxsize

    def part(self, value: Any) -> bytes:
        """Return the value as a part of what something is bound to."""
        if value is None:
            return _NOTHING
        if type(value) is str and self._spell is _spell_text:
            if len(value) > self._most:
                self._refuse_cut(value)
            written = value.encode()
            return _LENGTH.pack(b"s", len(written)) + written
        return part(*self._spelled(value))

    def text(self, value: Any) -> str:
        """Return the value as text, as it stands in the name of a subject."""
        if type(value) is str and self._spell is _spell_text:
            if len(value) > self._most:
                self._refuse_cut(value)
            return value
        _, written = self._spelled(value)
        return written if isinstance(written, str) else written.hex()

    def _refuse_cut(self, value: str) -> None:
        """Refuse a text of which PostgreSQL would cut the space behind its length."""
        if value[self._most :].isspace():
            raise EncryptionError(
                f"{self._name} holds {self._most} characters, and what is sealed for its row "
                "would be lost if the space behind them were cut: give it without"
            )

    def _spelled(self, value: Any) -> tuple[bytes, str | bytes]:
        try:
            return self._spell(value)
        except (ValueError, TypeError, ArithmeticError):
            raise EncryptionError(
                f"a value is not as {self._name} keeps it, so nothing can be sealed for its row: "
                "give a value of the column's type, with no more digits than it has"
            ) from None


def _spell_text(value: Any) -> tuple[bytes, str]:
    if isinstance(value, bool) or not isinstance(value, str | int | UUID):
        raise TypeError
    return b"s", str.__str__(value) if isinstance(value, str) else str(value)


def _spell_padded(value: Any) -> tuple[bytes, str]:
    return b"s", str(value).rstrip(" ")


def _spell_integer(value: Any) -> tuple[bytes, str]:
    number = int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError
    return b"i", str(number)


def _spell_uuid(value: Any) -> tuple[bytes, str]:
    return b"u", str(value if isinstance(value, UUID) else UUID(value))


def _spell_bytes(value: Any) -> tuple[bytes, bytes]:
    return b"b", bytes(value)


def _spell_boolean(value: Any) -> tuple[bytes, str]:
    if value not in {0, 1}:
        raise ValueError
    return b"o", str(bool(value))


def _spell_moment(value: Any) -> tuple[bytes, str]:
    return b"m", value.astimezone(UTC).isoformat()


def _spell_date(value: Any) -> tuple[bytes, str]:
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            raise ValueError  # which day that is depends on the zone of the connection
        value = value.date()
    if not isinstance(value, date):
        raise TypeError
    return b"d", value.isoformat()


def _spell_time(value: Any) -> tuple[bytes, str]:
    if not isinstance(value, time):
        raise TypeError
    return b"d", value.replace(tzinfo=None, fold=0).isoformat()


def _spell_interval(value: Any) -> tuple[bytes, str]:
    return b"v", str(value // timedelta(microseconds=1))


def _spell_nothing(_: Any) -> tuple[bytes, str]:
    raise TypeError


_SPELLS: Final[tuple[tuple[type[TypeEngine[Any]], Spell], ...]] = (
    (CHAR, _spell_padded),
    (String, _spell_text),  # an Enum, too
    (Integer, _spell_integer),
    (Uuid, _spell_uuid),
    (LargeBinary, _spell_bytes),
    (Boolean, _spell_boolean),
    (UtcDateTime, _spell_moment),
    (Date, _spell_date),
    (Time, _spell_time),
    (Interval, _spell_interval),
)
"""The first type that fits decides."""


def _spell_of(kind: TypeEngine[Any]) -> Spell:
    if isinstance(kind, Numeric):
        return _spell_float if kind.scale is None else _decimal(kind.scale)
    return next((spell for known, spell in _SPELLS if isinstance(kind, known)), _spell_nothing)


def _number(value: Any) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _spell_float(value: Any) -> tuple[bytes, str]:
    return b"n", f"{_number(value).normalize() + 0:f}"


def _decimal(scale: int) -> Spell:
    step = Decimal(1).scaleb(-scale)

    def spell(value: Any) -> tuple[bytes, str]:
        number = _number(value)
        kept = number.quantize(step)
        if kept != number:
            raise ValueError  # databases do not agree on how they round it
        return b"n", str(kept.copy_abs() if kept.is_zero() else kept)

    return spell
