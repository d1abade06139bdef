"""What metadata may hold, so that every database keeps it and compares it alike."""

import math
from collections.abc import Mapping
from typing import Any, Final

from timber.common.errors import InvalidRequestError

SMALLEST: Final = -(2**63)
LARGEST: Final = 2**63 - 1
"""Whole numbers between these are kept exactly."""
_ALL_WHOLE: Final = 2**53
"""From here on, floating-point numbers are whole."""
_DEEPEST: Final = 20


def storable(metadata: Mapping[str, Any], *, where: str = "metadata") -> dict[str, Any]:
    """Return metadata as it is stored: mappings, lists, texts, numbers, truths and null.

    Raises:
        InvalidRequestError: something else is in it; the message says where.

    """
    found = _storable(metadata, where, 0)
    if not isinstance(found, dict):
        raise InvalidRequestError(f"{where}: a mapping is needed, not {_named(metadata)}")
    return found


def storable_scalar(value: Any, *, where: str) -> Any:
    """Return a text, a number, a truth or null as it is stored, as one of Python's own types.

    Raises:
        InvalidRequestError: it is none of these, or no database holds it.

    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, int):
        if not SMALLEST <= value <= LARGEST:
            raise InvalidRequestError(
                f"{where}: a whole number of more than 64 bits; write it as text"
            )
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidRequestError(f"{where}: {value} is no number that JSON has; leave it out")
        # Written with its digits, for as JSON has it, PostgreSQL takes `4.611686018427388e+18`
        # for another number than the one that it is.
        whole = abs(value) >= _ALL_WHOLE and SMALLEST <= value <= LARGEST
        return int(value) if whole else float(value)
    raise InvalidRequestError(
        f"{where}: a text, a number, true, false or null is needed, not {_named(value)}"
    )


def _storable(value: Any, where: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise InvalidRequestError(f"{where}: more than {_DEEPEST} levels; make it flatter")
    if isinstance(value, Mapping):
        return {
            _key(key, where): _storable(one, f"{where}.{key}", depth + 1)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_storable(one, f"{where}[{at}]", depth + 1) for at, one in enumerate(value)]
    return storable_scalar(value, where=where)


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise InvalidRequestError(f"{where}: the key {key!r} is no text")
    return _text(key, where)


def _text(value: str, where: str) -> str:
    if "\0" in value or not _is_whole(value):
        raise InvalidRequestError(
            f"{where}: a text with NUL or half a surrogate pair, which no database holds"
        )
    return str(value)


def _named(value: object) -> str:
    return f"a {type(value).__name__}"


def _is_whole(value: str) -> bool:
    """Tell whether no half of a surrogate pair is in a text."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
