"""The values that an `Enum` column allows: a check of the database, and a type of the models."""

import re
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import CheckConstraint, Column, Dialect, Enum
from sqlalchemy.sql.elements import conv
from sqlalchemy.types import TypeEngine

_TEXT: Final = re.compile(r"(E?)'((?:[^']|'')*)'")


def check_name(table: str, column: str, dialect: Dialect) -> str:
    """Return how the check of an `Enum` column is called in the database."""
    name = conv(f"ck_{table}_{column}_values")
    preparer = dialect.identifier_preparer
    return str(preparer.truncate_and_render_constraint_name(name, _alembic_quote=False))


def allowed_by(condition: str) -> tuple[str, ...]:
    """Return the values that the check of an `Enum` column allows, as it stands in a database."""
    found = (match.groups() for match in _TEXT.finditer(condition))
    return tuple(
        text.replace("''", "'").replace("\\\\", "\\") if escaped else text.replace("''", "'")
        for escaped, text in found
    )


def condition_for(quoted_column: str, values: Iterable[str]) -> str:
    """Return the check that allows these values, as both databases take it."""
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{quoted_column} IN ({listed})"


def said_by(check: CheckConstraint) -> tuple[str, ...]:
    """Return the values that a check of the models allows."""
    return allowed_by(str(check.sqltext.compile(compile_kwargs={"literal_binds": True})))


def values_of(column_type: TypeEngine[Any] | None) -> frozenset[str]:
    """Return the values that a type allows; none: it is not kept as a text and a check."""
    if isinstance(column_type, Enum) and not column_type.native_enum:
        return frozenset(column_type.enums)
    return frozenset()


def checked_values(column: Column[Any]) -> frozenset[str]:
    """Return the values that a check of the models' making allows; none: there is no such."""
    kind = column.type
    if not isinstance(kind, Enum) or not kind.create_constraint:
        return frozenset()
    return values_of(kind) if kind.name == f"{column.name}_values" else frozenset()


def without_check(column_type: Any) -> Any:
    """Return an `Enum` as its values alone: its check has operations of its own."""
    if not values_of(column_type):
        return column_type
    return Enum(*column_type.enums, native_enum=False, length=column_type.length)


def said_of_type(column_type: TypeEngine[Any], dialect: Dialect) -> str:
    """Return a type in words."""
    if isinstance(column_type, Enum) and values_of(column_type):
        return f"one of {', '.join(column_type.enums)}"
    return f"of type {column_type.compile(dialect)}"
