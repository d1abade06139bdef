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
    "l": lambda items: items,
    "m": dict,
}
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


_to_text: Final = json.JSONEncoder(separators=(",", ":")).encode


def dumps(value: Any) -> bytes:
    """Return the value as bytes.

    Raises:
        TypeError: it is, or holds, something that no driver returns.

    """
    return _to_text(_written(value)).encode()


def loads(written: bytes) -> Any:
    """Return what `dumps` was given; a tuple comes back as a list."""
    return _from_text(written.decode())[0]


def _written(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind not in _WRITE:
        raise TypeError(f"a value of type {kind.__name__} cannot be cached")
    tag, write = _WRITE[kind]
    return {tag: write(value)}


def _read(written: dict[str, Any]) -> Any:
    """Return the value of a tag; what is in it has been read before."""
    ((tag, value),) = written.items()
    return _READ[tag](value)


_from_text: Final = json.JSONDecoder(object_hook=_read).raw_decode
