"""Writes what a database driver returned as text, and reads it again: nothing else, no code."""

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

_WRITE: Final[Mapping[type[Any], tuple[str, Callable[[Any], Any]]]] = {
    bytes: ("b", lambda value: base64.b85encode(value).decode()),
    Decimal: ("n", str),
    datetime: ("t", datetime.isoformat),
    date: ("d", date.isoformat),
    time: ("h", time.isoformat),
    timedelta: ("s", lambda value: [value.days, value.seconds, value.microseconds]),
    uuid.UUID: ("u", str),
    list: ("l", lambda value: [_written(one) for one in value]),
    tuple: ("l", lambda value: [_written(one) for one in value]),
    dict: ("m", lambda value: [[key, _written(one)] for key, one in value.items()]),
    memoryview: ("b", lambda value: base64.b85encode(bytes(value)).decode()),
}
_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "b": base64.b85decode,
    "n": Decimal,
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "h": time.fromisoformat,
    "s": lambda parts: timedelta(parts[0], parts[1], parts[2]),
    "u": uuid.UUID,
    "l": lambda items: [_read(one) for one in items],
    "m": lambda items: {key: _read(one) for key, one in items},
}
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


def dumps(value: Any) -> bytes:
    """Return the value as bytes.

    Raises:
        TypeError: it is, or holds, something that no driver returns.

    """
    return json.dumps(_written(value), separators=(",", ":")).encode()


def loads(written: bytes) -> Any:
    """Return what `dumps` was given; a tuple comes back as a list."""
    return _read(json.loads(written))


def _written(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind not in _WRITE:
        raise TypeError(f"a value of type {kind.__name__} cannot be cached")
    tag, write = _WRITE[kind]
    return {tag: write(value)}


def _read(written: Any) -> Any:
    if type(written) is not dict:
        return written
    ((tag, value),) = written.items()
    return _READ[tag](value)
