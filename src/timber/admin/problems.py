"""From what the database refused to the field of the form that it is about."""

import re
from typing import Final

from sqlalchemy import Index, Table
from sqlalchemy.schema import ColumnCollectionConstraint

from timber.admin.errors import WHOLE_FORM
from timber.admin.shape import Shape
from timber.common.errors import (
    ContentionError,
    DatabaseError,
    DuplicateError,
    InvalidValueError,
    MissingReferenceError,
    MissingValueError,
)

_NAMED: Final = re.compile(r"constraint '([^']+)'")
_COLUMN: Final = re.compile(r"column '([^']+)'")
_SQLITE_INDEX: Final = re.compile(r"constraint failed: index '([^']+)'")
_SQLITE: Final = re.compile(r"constraint failed: (.+?) \[")

_SAID: Final[dict[type[DatabaseError], str]] = {
    DuplicateError: "another row has this value already: choose another",
    MissingValueError: "this must have a value",
    MissingReferenceError: "this points to a row that is not there: choose another",
    InvalidValueError: "this does not fit the column",
    ContentionError: "others changed it at the same time: send the form again",
}


def problems_at_fields(error: DatabaseError, shape: Shape) -> dict[str, str]:
    """Return what is wrong, by the name of the field, or of the whole form."""
    said = next((text for kind, text in _SAID.items() if isinstance(error, kind)), str(error))
    found = [name for name in _columns(str(error), shape) if name in shape.columns]
    return dict.fromkeys(found, said) if found else {WHOLE_FORM: said}


def _columns(message: str, shape: Shape) -> list[str]:
    """Return the columns that a message names, itself or by a constraint."""
    if match := _SQLITE_INDEX.search(message):
        return _constrained(match[1], shape)
    if match := _SQLITE.search(message):
        return [part.rpartition(".")[2] for part in match[1].split(", ")]
    if match := _COLUMN.search(message):
        return [match[1]]
    if match := _NAMED.search(message):
        return _constrained(match[1], shape)
    return []


def _constrained(name: str, shape: Shape) -> list[str]:
    table = shape.mapper.local_table
    if not isinstance(table, Table):
        return []
    named = (*table.constraints, *table.indexes)
    found = (one for one in named if isinstance(one, ColumnCollectionConstraint | Index))
    return [column.name for one in found if one.name == name for column in one.columns]
