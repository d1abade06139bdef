"""The language of conditions in checks, partial indexes and guards: a small, closed part of SQL.

A condition is read here and built anew for the database, so nothing but a condition gets there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement

from timber.common.documents import closest
from timber.common.modeling.condition_parser import ConditionParser
from timber.common.modeling.condition_tokens import tokens_of

_MAX_LENGTH: Final = 2_000
_NUMBERS: Final = frozenset(
    ("SmallInteger", "Integer", "BigInteger", "Float", "Double", "Numeric")
)
"""The families of types that can be reckoned with."""


@dataclass(frozen=True)
class Condition:
    """A condition on the columns of one row, ready for either database."""

    expression: ColumnElement[bool]
    names: tuple[str, ...]
    """The columns it speaks of."""
    uses: tuple[tuple[str, str], ...]
    """What columns are compared with (`number`, `text`) or taken for (`truth`)."""
    paths: tuple[str, ...] = ()
    """The columns of JSON that it looks into, by paths such as `data.score`."""

    def problem(self, families: Mapping[str, str]) -> str | None:
        """Return what is wrong for columns of these type families; None if nothing is."""
        for name in self.names:
            if name not in families:
                return f"no column {name!r}{closest(name, families)}"
        for name in self.paths:
            if families.get(name) != "JSON":
                hint = "" if name in families else closest(name, families)
                return f"no column {name!r} of type JSON to look into{hint}"
        for name, use in self.uses:
            matches = (families[name] in _NUMBERS) == (use == "number")
            if not matches or (families[name] == "Boolean") != (use == "truth"):
                said = "neither true nor false" if use == "truth" else f"no {use}"
                return f"the column {name!r} of type {families[name]} is {said}"
        return None


def parse_condition(written: str) -> Condition:
    """Read a condition, such as `price > 0 and (ends is null or ends > starts)`.

    Raises:
        ValueError: it is none; the message says where.

    """
    condition = _parse(written, "sqlite", Decimal)
    if condition.paths:
        raise ValueError("only a guard can look into JSON: name a column")
    return condition


def parse_guard(written: str, *, dialect: str = "sqlite") -> Condition:
    """Read a condition that may look into JSON, such as `data.score >= 0.5`, for a database.

    What is not there, or not of the kind that it is compared with, is as null.

    Raises:
        ValueError: it is none; the message says where.

    """
    # A guard goes to the database as parameters, and SQLite knows no decimals.
    return _parse(written, dialect, float)


def _parse(written: str, dialect: str, fraction: Callable[[str], Any]) -> Condition:
    if len(written) > _MAX_LENGTH:
        raise ValueError(f"a condition has at most {_MAX_LENGTH} characters")
    parser = ConditionParser(tokens_of(written), dialect, fraction)
    expression = parser.truth(parser.condition(0))
    parser.end()
    return Condition(
        expression,
        tuple(dict.fromkeys(parser.names)),
        tuple(parser.uses),
        tuple(dict.fromkeys(parser.paths)),
    )
