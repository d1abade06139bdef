"""What a driver returned, and how values of Python are made of it."""

import copy
import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Boolean,
    Date,
    DateTime,
    Dialect,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    String,
    Time,
    Uuid,
)

from timber.common.modeling.stored_types import UtcDateTime

Raw: TypeAlias = tuple[tuple[Any, ...], tuple[Any, ...]]
"""The driver's names of the columns' types, and the values as the driver returned them."""

_OPEN: Final = (
    *(Boolean, Date, DateTime, Enum, Float, Integer, Interval, LargeBinary, Numeric, String),
    *(Time, Uuid, UtcDateTime),
)
"""The types whose values are no secret from whoever can read what the driver returned."""
UNCHANGING: Final = frozenset(
    {
        *(str, int, float, bool, type(None), bytes),
        *(Decimal, datetime, date, time, timedelta, uuid.UUID),
    }
)
"""The types whose values nobody can change, so that many rows may have the same one."""


def processor_of(kind: Any, dialect: Dialect, type_name: Any) -> Callable[[Any], Any] | None:
    """Return what makes a value of Python of what the driver returned; None for nothing."""
    process = kind.dialect_impl(dialect).result_processor(dialect, type_name)
    if process is not None:
        return lambda value: process(_own(value))
    return _own if not isinstance(kind, String | Integer) else None


def is_open(kind: Any) -> bool:
    """Tell whether the values of a type may lie in the cache as they are.

    Not if the type is none of those that are kept as they are: what a type has made unreadable,
    lies in the cache unreadable.
    """
    return isinstance(kind, _OPEN)


def type_names(result: Any) -> tuple[Any, ...]:
    """Return the driver's names of the types of what was selected; none if it has no names."""
    names = tuple(column[1] for column in result.cursor.description)
    return names if any(name is not None for name in names) else ()


def _own(value: Any) -> Any:
    """Return a value that changes of it leave the cache alone."""
    return copy.deepcopy(value) if isinstance(value, list | dict) else value
