"""Filters as conditions of SQL, on the column that holds the metadata."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, assert_never

from sqlalchemy import (
    ColumnElement,
    Numeric,
    Text,
    and_,
    case,
    cast,
    collate,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from typing_extensions import override

from timber.common.vector.filters import (
    COMPARE,
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

_SQLITE_TYPES: Final[Mapping[Kind, tuple[str, ...]]] = {
    "text": ("text",),
    "number": ("integer", "real"),
    "truth": ("true", "false"),
    "null": ("null",),
}
_IN_QUOTES: Final = frozenset('"\\') | frozenset(map(chr, range(0x20)))
"""What JSON writes with a backslash: no path of SQLite leads to a key with one of these."""


def condition_on(
    metadata: ColumnElement[Any], filters: Filter, *, dialect: str
) -> ColumnElement[bool]:
    """Return the condition that a column of JSON (JSONB on PostgreSQL) meets where filters match.

    It is true or not; where it is not, it may be null.
    """
    places = _Postgresql(metadata) if dialect == "postgresql" else _Sqlite(metadata)
    return places.condition(filters)


class _Dialect(ABC):
    def __init__(self, metadata: ColumnElement[Any]) -> None:
        self._metadata = metadata

    def condition(self, filters: Filter) -> ColumnElement[bool]:
        match filters:
            case AllOf(parts):
                found = and_(true(), *map(self.condition, parts))
            case AnyOf(parts):
                found = or_(false(), *map(self.condition, parts))
            case Not(part):
                # Null is not true: what is not there meets no condition, so it meets its opposite.
                found = self.condition(part).is_not(true())
            case OneOf(path, values):
                found = self._one_of(path, values)
            case Ordered():
                found = self._ordered(filters)
            case Contains(path, value):
                found = self._contains(path, value)
            case Exists(path):
                found = self._type(path).is_not(None)
            case _:
                assert_never(filters)
        return found

    def _one_of(self, path: Path, values: Sequence[Scalar]) -> ColumnElement[bool]:
        found = [self._among(path, [one for one in values if one is not None])]
        if None in values:
            found.append(func.coalesce(self._type(path), "null") == "null")
        return or_(*found)

    @abstractmethod
    def _type(self, path: Path) -> ColumnElement[Any]:
        """Return what the database calls the type of the value; null where there is none."""

    @abstractmethod
    def _among(self, path: Path, values: Sequence[Scalar]) -> ColumnElement[bool]: ...

    @abstractmethod
    def _ordered(self, ordered: Ordered) -> ColumnElement[bool]: ...

    @abstractmethod
    def _contains(self, path: Path, value: Scalar) -> ColumnElement[bool]: ...


class _Sqlite(_Dialect):
    @override
    def _type(self, path: Path) -> ColumnElement[Any]:
        return self._at(path, func.json_type, "type")

    @override
    def _among(self, path: Path, values: Sequence[Scalar]) -> ColumnElement[bool]:
        kinds: dict[Kind | None, list[Scalar]] = {}
        for value in values:
            kinds.setdefault(kind_of(value), []).append(value)
        found = self._at(path, func.json_extract, "value")
        return or_(
            false(),
            *(
                and_(found.in_(map(_sqlite_value, some)), self._is(self._type(path), kind))
                for kind, some in kinds.items()
            ),
        )

    @override
    def _ordered(self, ordered: Ordered) -> ColumnElement[bool]:
        found = self._at(ordered.path, func.json_extract, "value")
        is_in_order = COMPARE[ordered.sign](found, _sqlite_value(ordered.bound))
        return and_(is_in_order, self._is(self._type(ordered.path), kind_of(ordered.bound)))

    @override
    def _contains(self, path: Path, value: Scalar) -> ColumnElement[bool]:
        document, way = self._inside(path)
        each = func.json_each(document, way).table_valued("value", "type")
        is_it = self._is(each.c.type, kind_of(value))
        if value is not None:
            is_it = and_(each.c.value == _sqlite_value(value), is_it)
        within = exists(select(literal(1)).select_from(each).where(is_it))
        return and_(func.json_type(document, way) == "array", within)

    @staticmethod
    def _is(found: ColumnElement[Any], kind: Kind | None) -> ColumnElement[bool]:
        return found.in_(_SQLITE_TYPES[kind] if kind else ())

    def _at(self, path: Path, function: Callable[..., Any], column: str) -> ColumnElement[Any]:
        """Return the function of the value; where no path leads to it, a column of `json_each`."""
        *way, last = path
        if _has_path(last):
            found: ColumnElement[Any] = function(*self._inside(path))
            return found
        each = func.json_each(*self._inside(way)).table_valued("key", column)
        return select(each.c[column]).where(each.c.key == last).scalar_subquery()

    def _inside(self, path: Sequence[str]) -> tuple[ColumnElement[Any], str]:
        """Return a document, and the path in it that leads to the value."""
        document, way = self._metadata, "$"
        for step in path:
            if _has_path(step):
                way += f'."{step}"'
                continue
            each = func.json_each(document, way).table_valued("key", "value", "type")
            # Of a text, `value` would not be the JSON of it.
            is_document = and_(each.c.key == step, each.c.type.in_(("object", "array")))
            document, way = select(each.c.value).where(is_document).scalar_subquery(), "$"
        return document, way


def _has_path(key: str) -> bool:
    return bool(key) and _IN_QUOTES.isdisjoint(key)


def _sqlite_value(value: Scalar) -> Any:
    # Read as those in the metadata are: SQLite does not round every decimal as Python does.
    return func.json_extract(repr(value), "$") if isinstance(value, float) else value


class _Postgresql(_Dialect):
    @override
    def _type(self, path: Path) -> ColumnElement[Any]:
        return func.jsonb_typeof(self._place(path))

    @override
    def _among(self, path: Path, values: Sequence[Scalar]) -> ColumnElement[bool]:
        # Not `place = value`: a GIN index knows what a document contains.
        if len(values) == 1:
            return self._holds(path, values[0])
        documents = [json.dumps(_nested(path, value), ensure_ascii=False) for value in values]
        given = cast(literal(documents, ARRAY(Text)), ARRAY(JSONB))
        return _contains(self._metadata, func.any(given))

    @override
    def _ordered(self, ordered: Ordered) -> ColumnElement[bool]:
        place = self._place(ordered.path)
        if isinstance(ordered.bound, str):
            text = collate(place.op("#>>", return_type=Text())(literal([], ARRAY(Text))), "C")
            is_in_order = COMPARE[ordered.sign](text, ordered.bound)
            return and_(func.jsonb_typeof(place) == "string", is_in_order)
        # Digit by digit, as JSONB has it.
        bound = literal(Decimal(repr(ordered.bound)), Numeric)
        number = case((func.jsonb_typeof(place) == "number", cast(place, Numeric)))
        in_order: ColumnElement[bool] = COMPARE[ordered.sign](number, bound)
        return in_order

    @override
    def _contains(self, path: Path, value: Scalar) -> ColumnElement[bool]:
        return self._holds(path, [value])

    def _holds(self, path: Path, value: Any) -> ColumnElement[bool]:
        return _contains(self._metadata, literal(_nested(path, value), JSONB()))

    def _place(self, path: Path) -> ColumnElement[Any]:
        place = self._metadata
        for step in path:  # `->` with a text does not lead into lists, as a path would
            place = place.op("->", return_type=JSONB())(literal(step, Text))
        return place


def _contains(document: ColumnElement[Any], part: ColumnElement[Any]) -> ColumnElement[bool]:
    return document.op("@>", is_comparison=True)(part)


def _nested(path: Path, value: Any) -> Any:
    """Return a document with the value at the path."""
    for step in reversed(path):
        value = {step: value}
    return value
