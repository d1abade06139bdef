"""What a sealed value is bound to: its table and column, its row, and whose row it is."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import CHAR, Column, Integer, LargeBinary, Numeric, String, Uuid
from sqlalchemy.types import TypeEngine

from timber.common.errors import EncryptionError

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

    So that what is given for it and what is read of it later are the same.
    """

    def __init__(self, column: Column[Any]) -> None:
        self._name = str(column)
        self._spell = _spell_of(column.type)

    def part(self, value: Any) -> bytes:
        """Return the value as a part of what something is bound to."""
        if value is None:
            return _NOTHING
        if type(value) is str and self._spell is _spell_text:
            written = value.encode()
            return _LENGTH.pack(b"s", len(written)) + written
        return part(*self._spelled(value))

    def text(self, value: Any) -> str:
        """Return the value as text, as it stands in the name of a subject."""
        if type(value) is str and self._spell is _spell_text:
            return value
        _, written = self._spelled(value)
        return written if isinstance(written, str) else written.hex()

    def _spelled(self, value: Any) -> tuple[bytes, str | bytes]:
        try:
            return self._spell(value)
        except (ValueError, TypeError, ArithmeticError):
            raise EncryptionError(
                f"{self._name} is of another type, so nothing can be sealed for its row"
            ) from None


def _spell_text(value: Any) -> tuple[bytes, str]:
    return b"s", str.__str__(value) if isinstance(value, str) else str(value)


def _spell_padded(value: Any) -> tuple[bytes, str]:
    return b"s", str(value).rstrip(" ")


def _spell_integer(value: Any) -> tuple[bytes, str]:
    return b"i", str(int(value))


def _spell_uuid(value: Any) -> tuple[bytes, str]:
    return b"u", str(value if isinstance(value, UUID) else UUID(value))


def _spell_bytes(value: Any) -> tuple[bytes, bytes]:
    return b"b", bytes(value)


def _spell_other(value: Any) -> tuple[bytes, str]:
    match value:
        case bool() | int() | str():
            return b"o", str(value)
        case datetime():
            return b"m", value.astimezone(UTC).isoformat()
        case date() | time():
            return b"d", value.isoformat()
        case timedelta():
            return b"v", str(value // timedelta(microseconds=1))
        case _:
            raise TypeError


_SPELLS: Final[tuple[tuple[type[TypeEngine[Any]], Spell], ...]] = (
    (CHAR, _spell_padded),
    (String, _spell_text),  # an Enum, too
    (Integer, _spell_integer),
    (Uuid, _spell_uuid),
    (LargeBinary, _spell_bytes),
)
"""The first type that fits decides."""


def _spell_of(kind: TypeEngine[Any]) -> Spell:
    if isinstance(kind, Numeric):
        return _decimal(kind.scale or 0)
    return next((spell for known, spell in _SPELLS if isinstance(kind, known)), _spell_other)


def _decimal(scale: int) -> Spell:
    step = Decimal(1).scaleb(-scale)

    def spell(value: Any) -> tuple[bytes, str]:
        return b"n", str(Decimal(value).quantize(step))

    return spell
