"""Filters on metadata: the conditions there are, and what they mean.

`{"sector": "Technology", "year": {"$gte": 2020}, "tags": {"$contains": "ai"}}`

What `matches` says is the meaning; the databases are held to it (`filter_sql.py`).
Values have one of four kinds: text, number, truth and null. A value is compared with one of its
own kind only, so `1` is no `True` and `"1"` is no `1`, while `1` and `1.0` are one number.
What is not there is null.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Kind: TypeAlias = Literal["text", "number", "truth", "null"]
Path: TypeAlias = tuple[str, ...]
"""The keys that lead to a value through mappings in mappings, one at least."""
Sign: TypeAlias = Literal["<", "<=", ">", ">="]

COMPARE: Final[Mapping[Sign, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class AllOf:
    """Each of the parts holds."""

    parts: Sequence["Filter"]

    def matches(self, metadata: Mapping[str, Any]) -> bool:
        return all(part.matches(metadata) for part in self.parts)


@dataclass(frozen=True)
class AnyOf:
    """One of the parts holds."""

    parts: Sequence["Filter"]

    def matches(self, metadata: Mapping[str, Any]) -> bool:
        return any(part.matches(metadata) for part in self.parts)


@dataclass(frozen=True)
class Not:
    """It does not hold."""

    part: "Filter"

    def matches(self, metadata: Mapping[str, Any]) -> bool:
        return not self.part.matches(metadata)


@dataclass(frozen=True)
class OneOf:
    """The value is one of these."""

    path: Path
    values: Sequence[Scalar]

    def matches(self, metadata: Mapping[str, Any]) -> bool:
        found = find(metadata, self.path)
        return any(are_same(found, value) for value in self.values)


@dataclass(frozen=True)
class Ordered:
    """The value, of the kind of the bound, stands on this side of it.

    Texts are ordered by their code points.
    """

    path: Path
    sign: Sign
    bound: str | int | float

    def matches(self, metadata: Mapping[str, Any]) -> bool:
        found = find(metadata, self.path)
        if kind_of(found) != kind_of(self.bound):
            return False
        return bool(COMPARE[self.sign](found, self.bound))


@dataclass(frozen=True)
class Contains:
    """The value is a list, and this is in it."""

    path: Path
    value: Scalar

    def matches(self, metadata: Mapping[str, Any]) -> bool:
        found = find(metadata, self.path)
        return isinstance(found, list) and any(are_same(one, self.value) for one in found)


@dataclass(frozen=True)
class Exists:
    """There is such a key, be its value null."""

    path: Path

    def matches(self, metadata: Mapping[str, Any]) -> bool:
        *way, last = self.path
        found = find(metadata, way)
        return isinstance(found, Mapping) and last in found


Filter: TypeAlias = AllOf | AnyOf | Not | OneOf | Ordered | Contains | Exists
"""A condition on metadata."""


def find(metadata: Mapping[str, Any], path: Sequence[str]) -> Any:
    """Return the value that a path leads to; None if there is none."""
    found: Any = metadata
    for step in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def kind_of(value: object) -> Kind | None:
    """Return the kind of a value; None for a list and a mapping."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else None


def are_same(found: object, value: Scalar) -> bool:
    """Tell whether a value of metadata is this one: of its kind, and equal."""
    return kind_of(found) == kind_of(value) and found == value
