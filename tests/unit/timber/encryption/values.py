"""Values of every kind of column, as Hypothesis draws them, and columns to keep them in."""

from datetime import UTC, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as some

_TEXT: Final = some.text(some.characters(exclude_categories=["Cs"]), max_size=40)
_JSON: Final = some.recursive(
    some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: (
        some.lists(inner | some.none(), max_size=3)
        | some.dictionaries(_TEXT, inner | some.none(), max_size=3)
    ),
    max_leaves=5,
)

VALUES: Final[dict[str, some.SearchStrategy[Any]]] = {
    "String(40)": _TEXT,
    "Unicode(40)": _TEXT,
    "CHAR(40)": _TEXT,
    "Text": _TEXT,
    "UnicodeText": _TEXT,
    "SmallInteger": some.integers(-(2**15), 2**15 - 1),
    "Integer": some.integers(-(2**31), 2**31 - 1),
    "BigInteger": some.integers(-(2**63), 2**63 - 1),
    "Float": some.floats(),
    "Double": some.floats(),
    "Numeric(12, 2)": some.decimals("-9999999999.99", "9999999999.99", places=2),
    "Numeric(40, 30)": some.decimals(Decimal(-9999999999), Decimal(9999999999), places=30),
    "Boolean": some.booleans(),
    "DateTime": some.datetimes(
        timezones=some.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
    ).filter(lambda moment: 2 < moment.year < 9998),
    "Date": some.dates(),
    "Time": some.times(),
    "Interval": some.timedeltas(),
    "Uuid": some.uuids(),
    "JSON": _JSON,
    "LargeBinary": some.binary(max_size=40),
    "Enum(draft, 'in work', done)": some.sampled_from(["draft", "in work", "done"]),
    "Vector(3)": some.lists(some.floats(width=32), min_size=3, max_size=3),
    "Array(String(20))": some.lists(some.none() | some.text("aäß€ ", max_size=20), max_size=4),
    "Array(Integer)": some.lists(some.none() | some.integers(-9, 9), max_size=4),
}
"""By the type as a model file writes it."""
