"""Filters as conditions of SQL, on the column that holds the metadata.

What a filter compares with is given as parameters, and so are the keys; what is left in the SQL
is the shape of the filter. Filters of one shape have the same SQL, so whoever makes statements of
it makes one for all of them.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from typing_extensions import override

from timber.common.vector.filters import (
    AllOf,
    AnyOf,
    Contains,
    Exists,
    Filter,
    Kind,
    Not,
    OneOf,
    Ordered,
    Path,
    Scalar,
    kind_of,
)

_SQLITE_TYPES: Final[Mapping[Kind, str]] = {
    "text": "('text')",
    "number": "('integer', 'real')",
    "truth": "('true', 'false')",
    "null": "('null')",
}
_IN_QUOTES: Final = frozenset('"\\') | frozenset(map(chr, range(0x20)))
"""What JSON writes with a backslash: no path of SQLite leads to a key with one of these."""


@dataclass(frozen=True)
class Condition:
    """A condition of SQL. It is true or not; where it is not, it may be null."""

    sql: str
    """In brackets, with its parameters as `:filter_0` and so on."""
    parameters: Mapping[str, Any]


def condition_on(column: str, filters: Filter, *, dialect: str) -> Condition:
    """Return the condition that a column of JSON (JSONB on PostgreSQL) meets where they match."""
    writer = _Postgresql(column) if dialect == "postgresql" else _Sqlite(column)
    return Condition(writer.condition(filters), writer.parameters)


class _Writer(ABC):
    def __init__(self, column: str) -> None:
        self._column = column
        self.parameters: dict[str, Any] = {}

    def condition(self, filters: Filter) -> str:
        match filters:
            case AllOf(parts):
                found = " AND ".join(map(self.condition, parts)) or "TRUE"
            case AnyOf(parts):
                found = " OR ".join(map(self.condition, parts)) or "FALSE"
            case Not(part):
                # Null is not true: what is not there meets no condition, so it meets its opposite.
                found = f"{self.condition(part)} IS NOT TRUE"
            case OneOf(path, values):
                found = " OR ".join(self._one_of(path, values)) or "FALSE"
            case Ordered():
                found = self._ordered(filters)
            case Contains(path, value):
                found = self._contains(path, value)
            case Exists(path):
                found = f"{self._type(path)} IS NOT NULL"
            case _:
                assert_never(filters)
        return f"({found})"

    def _one_of(self, path: Path, values: Sequence[Scalar]) -> Iterable[str]:
        given = [one for one in values if one is not None]
        if given:
            yield self._among(path, given)
        if len(given) < len(values):
            yield f"coalesce({self._type(path)}, 'null') = 'null'"

    def _given(self, value: object) -> str:
        """Return the parameter that has this value."""
        name = f"filter_{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    @abstractmethod
    def _type(self, path: Path) -> str:
        """Return what the database calls the type of the value; null where there is none."""

    @abstractmethod
    def _among(self, path: Path, values: Sequence[Scalar]) -> str:
        """Return whether the value is one of these, of which there is one at least."""

    @abstractmethod
    def _ordered(self, ordered: Ordered) -> str: ...

    @abstractmethod
    def _contains(self, path: Path, value: Scalar) -> str: ...


class _Sqlite(_Writer):
    def __init__(self, column: str) -> None:
        super().__init__(column)
        self._aliases = 0

    @override
    def _type(self, path: Path) -> str:
        return self._at(path, "json_type", "type")

    @override
    def _among(self, path: Path, values: Sequence[Scalar]) -> str:
        kinds: dict[Kind | None, list[Scalar]] = {}
        for value in values:
            kinds.setdefault(kind_of(value), []).append(value)
        found, its_type = self._at(path, "json_extract", "value"), self._type(path)
        return " OR ".join(
            f"({found} {self._is_one_of(some)} AND {_is(its_type, kind)})"
            for kind, some in kinds.items()
        )

    @override
    def _ordered(self, ordered: Ordered) -> str:
        found = self._at(ordered.path, "json_extract", "value")
        is_in_order = f"{found} {ordered.sign} {self._value(ordered.bound)}"
        return f"{is_in_order} AND {_is(self._type(ordered.path), kind_of(ordered.bound))}"

    @override
    def _contains(self, path: Path, value: Scalar) -> str:
        document, way = self._inside(path)
        each = self._alias()
        is_it = _is(f"{each}.type", kind_of(value))
        if value is not None:
            is_it += f" AND {each}.value = {self._value(value)}"
        within = f"EXISTS (SELECT 1 FROM json_each({document}, {way}) AS {each} WHERE {is_it})"
        return f"json_type({document}, {way}) = 'array' AND {within}"

    def _is_one_of(self, values: Sequence[Scalar]) -> str:
        if len(values) == 1:
            return f"= {self._value(values[0])}"
        listed = self._given(json.dumps(values, ensure_ascii=False))
        return f"IN (SELECT value FROM json_each({listed}))"

    def _value(self, value: Scalar) -> str:
        # Read as those in the metadata are: SQLite does not round every decimal as Python does.
        if isinstance(value, float):
            return f"json_extract({self._given(repr(value))}, '$')"
        return self._given(value)

    def _at(self, path: Path, function: str, column: str) -> str:
        """Return the function of the value; where no path leads to it, a column of `json_each`."""
        *way, last = path
        if _has_path(last):
            return f"{function}({', '.join(self._inside(path))})"
        each = self._alias()
        return (
            f"(SELECT {each}.{column} FROM json_each({', '.join(self._inside(way))}) AS {each}"
            f" WHERE {each}.key = {self._given(last)})"
        )

    def _inside(self, path: Sequence[str]) -> tuple[str, str]:
        """Return a document, and the path in it that leads to the value."""
        document, way = self._column, "$"
        for step in path:
            if _has_path(step):
                way += f'."{step}"'
                continue
            each = self._alias()
            # Of a text, `value` would not be the JSON of it.
            document = (
                f"(SELECT {each}.value FROM json_each({document}, {self._given(way)}) AS {each}"
                f" WHERE {each}.key = {self._given(step)} AND {each}.type IN ('object', 'array'))"
            )
            way = "$"
        return document, self._given(way)

    def _alias(self) -> str:
        self._aliases += 1
        return f"each_{self._aliases}"


def _is(found: str, kind: Kind | None) -> str:
    return f"{found} IN {_SQLITE_TYPES[kind]}" if kind else "FALSE"


def _has_path(key: str) -> bool:
    return bool(key) and _IN_QUOTES.isdisjoint(key)


class _Postgresql(_Writer):
    @override
    def _type(self, path: Path) -> str:
        return f"jsonb_typeof({self._place(path)})"

    @override
    def _among(self, path: Path, values: Sequence[Scalar]) -> str:
        # Not `place = value`: a GIN index knows what a document contains.
        if len(values) == 1:
            return self._holds(path, values[0])
        documents = [_nested(path, value) for value in values]
        return f"{self._column} @> ANY (CAST({self._given(documents)} AS jsonb[]))"

    @override
    def _ordered(self, ordered: Ordered) -> str:
        place = self._place(ordered.path)
        if isinstance(ordered.bound, str):
            bound = f"CAST({self._given(ordered.bound)} AS text)"
            is_in_order = f"({place} #>> '{{}}') COLLATE \"C\" {ordered.sign} {bound}"
            return f"jsonb_typeof({place}) = 'string' AND {is_in_order}"
        # Digit by digit, as JSONB has it.
        bound = f"CAST({self._given(repr(ordered.bound))} AS numeric)"
        is_number = f"jsonb_typeof({place}) = 'number'"
        return f"CASE WHEN {is_number} THEN CAST({place} AS numeric) END {ordered.sign} {bound}"

    @override
    def _contains(self, path: Path, value: Scalar) -> str:
        return self._holds(path, [value])

    def _holds(self, path: Path, value: Any) -> str:
        return f"{self._column} @> CAST({self._given(_nested(path, value))} AS jsonb)"

    def _place(self, path: Path) -> str:
        place = self._column
        for step in path:  # `->` with a text does not lead into lists, as a path would
            place = f"({place} -> CAST({self._given(step)} AS text))"
        return place


def _nested(path: Path, value: Any) -> str:
    """Return the JSON of a document with the value at the path."""
    for step in reversed(path):
        value = {step: value}
    return json.dumps(value, ensure_ascii=False)
