"""What a column gets that must have a value and has none, for its values are gone."""

from typing import Any, Final

from timber.common.database.kinds import Kind
from timber.common.migrations.values import UUID_LENGTH

_NEUTRAL: Final[dict[str, tuple[Any, str | None]]] = {
    "text": ("", None),
    "integer": (0, None),
    "float": (0, None),
    "numeric": (0, None),
    "boolean": (False, None),
    "json": ({}, None),
    "date": ("1970-01-01", None),
    "moment": (None, "now"),
}

NOTHING: Final[tuple[Any, str | None]] = (None, None)


def neutral_of(kind: Kind, *, unique: bool) -> tuple[Any, str | None]:
    """Return the value, or the name of what generates one; or two Nones."""
    if kind.values:
        return min(kind.values), None
    if not unique:
        return _NEUTRAL.get(kind.name, NOTHING)
    fits = kind.name == "text" and (kind.length is None or kind.length >= UUID_LENGTH)
    return (None, "uuid4") if fits else NOTHING
