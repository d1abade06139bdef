"""What takes the place of a value that told something about a person."""

import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Enum,
    LargeBinary,
    String,
    Table,
    TableClause,
    UniqueConstraint,
    column as sql_column,
    null,
    table as sql_table,
)
from sqlalchemy.types import Integer, SmallInteger, TypeDecorator, TypeEngine, Uuid

from timber.common.errors import ErasureError
from timber.common.ids import IdFactory
from timber.common.modeling.sealed_tables import NOTHING_SEALED, sealed_of
from timber.common.modeling.stored_types import UtcDateTime, Vector

_NEUTRAL: Final[Mapping[type[Any], Any]] = {
    str: "",
    int: 0,
    float: 0.0,
    bool: False,
    bytes: b"",
    Decimal: Decimal(0),
    datetime: datetime(1970, 1, 1, tzinfo=UTC),
    date: date(1970, 1, 1),
    time: time(),
    timedelta: timedelta(),
    uuid.UUID: uuid.UUID(int=0),
    list: [],
    dict: {},
}
"""By the type that Python has of it."""


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_AGO_SECONDS: Final = 1_800 * 365 * 86_400
_DAY_MICROSECONDS: Final = 86_400_000_000


def neutral_values(table: Table, names: Collection[str], new_id: IdFactory) -> dict[str, Any]:
    """Return what the columns of one row get: null, or what is neutral where null must not be.

    A column that has no value twice gets a random one; of the few values of an enum or a
    Boolean any other may be taken, so these stay as they are.

    Raises:
        ErasureError: there is nothing neutral for a type.

    """
    unique = _unique(table)
    return {
        name: _neutral(table.c[name], name in unique, new_id)
        for name in names
        if not (name in unique and has_few_values(table.c[name]))
    }


def random_value(column: Column[Any], new_id: IdFactory) -> Any:
    """Return a value that no other row has.

    Raises:
        ErasureError: nothing random is known of the type.

    """
    return _random(column, uuid.UUID(new_id()))


def has_few_values(column: Column[Any]) -> bool:
    """Tell whether a column must have a value, and there are but a few to have."""
    return not column.nullable and isinstance(column.type, (Enum, Boolean))


def needs_each(table: Table, names: Collection[str]) -> bool:
    """Tell whether each row needs values of its own."""
    unique = _unique(table)
    return any(name in unique and not table.c[name].nullable for name in names)


def sealed_names(table: Table) -> frozenset[str]:
    """Return the columns with sealed values, and those with their indexes."""
    sealed = sealed_of(table)
    if sealed is None:
        return frozenset()
    indexes = (one.index for one in sealed.columns.values() if one.index is not None)
    return frozenset((*sealed.columns, *indexes))


def bare_table(table: Table, names: Collection[str]) -> TableClause:
    """Return a table as it is without Timber: what is sealed in it are bytes.

    So what was sealed for somebody whose keys are gone can be emptied, and rows be unlinked that
    cannot be sealed anew.
    """
    hidden = sealed_names(table)
    return sql_table(
        table.name,
        *(sql_column(one.name, one.type) for one in table.primary_key.columns),
        *(
            sql_column(name, LargeBinary() if name in hidden else table.c[name].type)
            for name in names
        ),
    )


def nothing_sealed(table: Table, names: Collection[str]) -> dict[str, bytes | None]:
    """Return what sealed columns get: null, or what looks like a sealed value and is none."""
    return {name: None if table.c[name].nullable else NOTHING_SEALED for name in names}


def _neutral(column: Column[Any], is_unique: bool, new_id: IdFactory) -> Any:
    if column.nullable:
        # In JSON, None is a value of its own.
        return null() if isinstance(column.type, JSON) else None
    if is_unique:
        return _random(column, uuid.UUID(new_id()))
    match column.type:
        case Enum() as kind:
            found: Any = kind.enums[0]
        case Vector() as kind:
            found = [0.0] * int(kind.dimensions)
        case JSON():
            found = {}
        case kind:
            found = _of_type(column, kind)
    return found


def _of_type(column: Column[Any], kind: TypeEngine[Any]) -> Any:
    plain = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    try:
        return _NEUTRAL[plain.python_type]
    except (KeyError, NotImplementedError):
        raise ErasureError(
            f"{column} must not be null, and nothing neutral is known of its type: "
            "let it be null, and erase again"
        ) from None


def _random(column: Column[Any], made: uuid.UUID) -> Any:
    match column.type:
        case Uuid():
            found: Any = made
        case String() as kind:
            found = made.hex[: kind.length] if kind.length else made.hex
        case LargeBinary():
            found = made.bytes
        case Integer() as kind:
            found = -1 - made.int % (2**15 if isinstance(kind, SmallInteger) else 2**31)
        case JSON():
            found = {"": made.hex}
        case kind:
            found = _random_of_type(column, kind, made.int)
    return found


def _random_of_type(column: Column[Any], kind: TypeEngine[Any], made: int) -> Any:
    try:
        stored = kind.impl_instance if isinstance(kind, UtcDateTime) else kind
        plain = None if isinstance(kind, Vector) else stored.python_type
    except NotImplementedError:
        plain = None
    long_ago = timedelta(seconds=made % _LONG_AGO_SECONDS)
    values: Mapping[Any, Any] = {
        Decimal: Decimal(-1 - made % 10**4),
        float: -1.0 - made % 2**31,
        datetime: _EPOCH - long_ago,
        date: (_EPOCH - long_ago).date(),
        time: (_EPOCH + timedelta(microseconds=made % _DAY_MICROSECONDS)).time(),
        timedelta: -long_ago,
    }
    if plain not in values:
        raise ErasureError(
            f"{column} has no value twice, and nothing random is known of its type: "
            "let it be null, and erase again"
        )
    return values[plain]


def _unique(table: Table) -> frozenset[str]:
    """Return the columns of which no value may come twice, alone or with others."""
    constraints = (one for one in table.constraints if isinstance(one, UniqueConstraint))
    together = [tuple(one.columns.keys()) for one in constraints]
    together += [tuple(one.columns.keys()) for one in table.indexes if one.unique]
    alone = {name for name, column in table.c.items() if column.unique}
    return frozenset(alone.union(*together))
