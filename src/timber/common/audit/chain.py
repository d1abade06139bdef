"""How entries are chained, and how values are committed to: pure functions over bytes.

Each entry's hash is HMAC-SHA-256 over the hash before it and the entry in a canonical form:
JSON with sorted keys and no spaces, as RFC 8785 has it, of texts and whole numbers only.
So an entry can neither be changed, nor taken out, nor put in, without the key of the chain.
"""

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

HASH_BYTES: Final = 32
MARK_BYTES: Final = 16
"""As many tell 2^64 values apart; a table has fewer rows."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry: what its hash is over, and what may be forgotten of it."""

    lane: int
    """Which chain; each is a sequence of its own."""
    position: int
    """Counts from 1 in its lane, without a gap."""
    moment: datetime
    table_name: str
    operation: str
    row_mark: bytes | None
    """A keyed commitment to the row's key; None where the entry is about no one row."""
    subject_mark: bytes | None
    """Under what the keystore remembers the subject when it is erased."""
    actor_mark: bytes
    details: str
    """JSON: the columns and commitments to their values, the reason, the origin."""
    row_key: str | None
    """The key as a JSON array; with the next, it is forgotten when the subject is erased."""
    subject: str | None
    actor: str | None
    """Forgotten with the next when the actor is erased."""
    actor_subject: str | None
    """The subject that the actor is; None where the actor cannot be erased."""

    @property
    def chained(self) -> bytes:
        """What the hash is over."""
        return canonical(
            {
                "actor": self.actor_mark.hex(),
                "details": self.details,
                "lane": self.lane,
                "moment": _moment_text(self.moment),
                "operation": self.operation,
                "position": self.position,
                "row": None if self.row_mark is None else self.row_mark.hex(),
                "subject": None if self.subject_mark is None else self.subject_mark.hex(),
                "table": self.table_name,
            }
        )


@lru_cache(maxsize=16)
def _moment_text(moment: datetime) -> str:
    """Return a moment as entries have it; those of a transaction have one and the same."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


_to_canonical: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False
).encode
_to_key_text: Final = json.JSONEncoder(ensure_ascii=False).encode


def canonical(facts: Mapping[str, Any]) -> bytes:
    """Return facts in the one form that all of their writings have."""
    return canonical_text(facts).encode()


def canonical_text(facts: Any) -> str:
    """Do as `canonical`, as text."""
    return _to_canonical(facts)


def chain_key(secret: bytes) -> bytes:
    """Return the key of the chains, made from the keystore's secret for audits."""
    return hmac.digest(secret, b"timber audit chain 1", "sha256")


def first_hash(key: bytes, lane: int) -> bytes:
    """Return what stands before the first entry of a lane."""
    return hmac.digest(key, b"lane %d" % lane, "sha256")


def next_hash(key: bytes, before: bytes, entry: Entry) -> bytes:
    """Return the hash of an entry."""
    return hmac.digest(key, before + entry.chained, "sha256")


def mark(secret: bytes, kind: str, *parts: str | bytes) -> bytes:
    """Return a keyed commitment to the parts, each with its length before it."""
    message = kind.encode() + b"\0" + b"".join(map(_with_length, parts))
    return hmac.digest(secret, message, "sha256")[:MARK_BYTES]


def commitments(secret: bytes, table: str, key: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Return keyed commitments to the values of a row, by column, in hexadecimal."""
    begin = b"value\0" + _with_length(table) + _with_length(key)
    digest = hmac.digest
    found: dict[str, str] = {}
    for column, value in values.items():
        # As `_with_length`; here a call for each value would be felt.
        raw = value_bytes(value)
        message = begin + _column_bytes(column) + len(raw).to_bytes(8, "big") + raw
        found[column] = digest(secret, message, "sha256")[:MARK_BYTES].hex()
    return found


@lru_cache(maxsize=4096)
def _column_bytes(column: str) -> bytes:
    return _with_length(column)


def _with_length(part: str | bytes) -> bytes:
    raw = part.encode() if isinstance(part, str) else part
    return len(raw).to_bytes(8, "big") + raw


def key_text(values: Iterable[Any]) -> str:
    """Return a primary key as a JSON array, as the triggers write it."""
    return _to_key_text([_plain(value) for value in values])


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return value if isinstance(value, str | int | float) else str(value)


def value_bytes(value: Any) -> bytes:
    """Return a value of a column with its kind before it, so that `1` and `"1"` differ."""
    writing = _PLAIN.get(type(value))
    if writing is None:
        found = (one for kinds, one in _KINDS if isinstance(value, kinds))
        writing = next(found, (b"j", lambda other: canonical_text(other).encode()))
    tag, write = writing
    return tag + write(value)


def _decimal(value: Decimal) -> bytes:
    # 1.50 and 1.5 are one number, and databases differ in which of them they return.
    return format(value.normalize(), "f").encode() if value.is_finite() else str(value).encode()


_Writing = tuple[bytes, Callable[[Any], bytes]]
_TEXT: Final[_Writing] = (b"s", str.encode)
_PLAIN: Final[dict[type, _Writing]] = {
    type(None): (b"n", lambda _: b""),
    bool: (b"b", lambda value: b"1" if value else b"0"),
    str: _TEXT,
    int: (b"i", lambda value: b"%d" % value),
    float: (b"f", lambda value: value.hex().encode()),
    bytes: (b"x", bytes),
}
_KINDS: Final[tuple[tuple[Any, _Writing], ...]] = (
    (Enum, (b"s", lambda value: str(value.value).encode())),
    (str, _TEXT),
    (int, _PLAIN[int]),
    (Decimal, (b"d", _decimal)),
    (bytes | bytearray | memoryview, _PLAIN[bytes]),
    (datetime, (b"t", lambda value: value.astimezone(UTC).isoformat().encode())),
    (date | time, (b"t", lambda value: value.isoformat().encode())),
    (UUID, (b"u", lambda value: value.bytes)),
)
