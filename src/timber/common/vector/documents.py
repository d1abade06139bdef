"""A text that is found by its meaning, with what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from timber.common.documents import closest
from timber.common.errors import InvalidRequestError
from timber.common.modeling.vector_checks import LONGEST_KEY
from timber.common.vector.metadata import storable, storable_scalar

LONGEST_SOURCE_TYPE: Final = 100


@dataclass(frozen=True, kw_only=True)
class Document:
    """One text; known by its `source_type` and `source_id`."""

    content: str
    source_type: str
    source_id: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    owner: str = ""
    """Empty: nobody's."""
    importance: float | None = None
    occurred_at: datetime | None = None
    sealed_for: str | None = None
    """Whose encrypted text it is, as a keystore names him; None: it is not encrypted."""

    @property
    def key(self) -> tuple[str, str]:
        return self.source_type, self.source_id


_KEYS: Final = (
    "content",
    "source_type",
    "source_id",
    "metadata",
    "owner",
    "importance",
    "occurred_at",
)


@dataclass(frozen=True)
class Ingested:
    """What became of a document."""

    source_type: str
    source_id: str
    chunks: int
    """Of how many pieces it is; a blank text has none, and is found by nothing."""


def document_from(given: Mapping[str, Any], *, which: str) -> Document:
    """Return the document that somebody handed in.

    Raises:
        InvalidRequestError: something of it cannot be used; `which` says in the message where.

    """
    if not isinstance(given, Mapping):
        raise InvalidRequestError(f"{which}: a mapping is needed, not {type(given).__name__}")
    for key in given:
        if key not in _KEYS:
            hint = closest(str(key), _KEYS)
            raise InvalidRequestError(f"{which}: a document has no {str(key)[:63]!r}{hint}")
    for key in ("content", "source_type", "source_id"):
        if key not in given:
            raise InvalidRequestError(f"{which}: {key!r} is missing")
    content = _text(given["content"], f"{which}: content")
    return Document(
        content=content,
        source_type=name_of(given["source_type"], f"{which}: source_type", LONGEST_SOURCE_TYPE),
        source_id=name_of(given["source_id"], f"{which}: source_id"),
        metadata=storable(given.get("metadata") or {}, where=f"{which}: metadata"),
        owner=name_of(given["owner"], f"{which}: owner") if given.get("owner") else "",
        importance=_number(given.get("importance"), f"{which}: importance"),
        occurred_at=_moment(given.get("occurred_at"), f"{which}: occurred_at"),
    )


def name_of(value: object, where: str, longest: int = LONGEST_KEY) -> str:
    """Return a name as it is stored: a text that is neither blank nor too long.

    Raises:
        InvalidRequestError: it is none.

    """
    text = _text(value, where)
    if not 0 < len(text) <= longest or text.isspace():
        raise InvalidRequestError(f"{where}: a text of 1 to {longest} characters is needed")
    return text


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequestError(f"{where}: a text is needed, not a {type(value).__name__}")
    return str(storable_scalar(value, where=where))


def _number(value: object, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRequestError(f"{where}: a number is needed, not a {type(value).__name__}")
    return float(storable_scalar(value, where=where))


def _moment(value: object, where: str) -> datetime | None:
    if value is not None and not isinstance(value, datetime):
        raise InvalidRequestError(f"{where}: a datetime is needed, not a {type(value).__name__}")
    return value
