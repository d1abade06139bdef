"""What a step that seals needs to know of columns: their types, and what they must have."""

from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.types import TypeEngine

from timber.common.database.enum_values import without_check
from timber.common.encryption.codec import codec_of
from timber.common.errors import MigrationError
from timber.common.migrations.conversions import conversion
from timber.common.migrations.sealed_definitions import built


def require_sealable(column: str, old: str, new: str, dialect: Dialect) -> None:
    """Do nothing, if what is sealed as one type can be sealed as another, as model files have it.

    Raises:
        MigrationError: the values might not fit.

    """
    if old == new:
        return
    before, after = built(old), built(new)
    fits = conversion("value", before, after, dialect).misfits is None
    if codec_of(before).tag != codec_of(after).tag or not fits:
        _refuse(column, old, new)


def require_openable(column: str, old: str, new: TypeEngine[object], dialect: Dialect) -> None:
    """Do nothing, if what is sealed as one type can be kept in a column of another.

    Raises:
        MigrationError: the values might not fit.

    """
    before = built(old)
    is_same = before.compile(dialect) == without_check(new).compile(dialect)
    if not is_same and conversion("value", before, new, dialect).misfits is not None:
        _refuse(column, old, new.compile(dialect))


def _refuse(column: str, old: str, new: str) -> None:
    raise MigrationError(
        f"{column} is encrypted as {old}, of which the database cannot make {new}: decrypt it in "
        "one step, change its type in the next, then encrypt it again if it is to be"
    )


def shown(name: str, kind: TypeEngine[Any]) -> dict[str, Any]:
    """Return a column as an inspector tells of it."""
    return {"name": name, "type": kind, "nullable": True, "default": None, "comment": None}


def without_value(table: str, column: str, rows: int) -> str:
    """Return what is wrong with a column that rows would have no value for."""
    return (
        f"{table}.{column} must not be null, and {rows} of its rows would have no value: give "
        "the column a `default`, or let it be `nullable: true`"
    )
