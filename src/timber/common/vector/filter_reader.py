"""Reads filters as people write them: mappings, with operators that begin with `$`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from timber.common.documents import closest
from timber.common.errors import InvalidRequestError
from timber.common.vector.filters import (
    AllOf,
    AnyOf,
    Contains,
    Exists,
    Filter,
    Not,
    OneOf,
    Ordered,
    Path,
    Scalar,
    Sign,
)
from timber.common.vector.metadata import storable_scalar

_MOST_CONDITIONS: Final = 200
_MOST_VALUES: Final = 5_000
_DEEPEST: Final = 20
_SIGNS: Final[Mapping[str, Sign]] = {"$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}


def read_filters(filters: Mapping[str, Any]) -> Filter:
    r"""Return what a mapping of conditions stands for; all of them must hold.

    A key leads to a value: `company.sector`, or `{"company": {"sector": …}}`. A dot, a `$` at
    the beginning or a backslash that belongs to a key is written with a backslash before it.
    A value is what must be found there, or a mapping of operators:
    `$eq $ne $lt $lte $gt $gte $in $nin $contains $exists`.
    `$and`, `$or` (lists of mappings) and `$not` (a mapping) may stand at any level.

    Raises:
        InvalidRequestError: it cannot be read; the message says where.

    """
    return _Reader().all_of(filters, (), "filters")


class _Reader:
    def __init__(self) -> None:
        self._conditions = 0
        self._values = 0
        self._depth = 0

    def all_of(self, written: Any, path: Path, where: str) -> Filter:
        if not isinstance(written, Mapping):
            raise InvalidRequestError(
                f"{where}: a mapping of conditions is needed, not a {type(written).__name__}"
            )
        self._depth += 1
        if self._depth > _DEEPEST:
            raise InvalidRequestError(f"{where}: more than {_DEEPEST} levels; make it flatter")
        parts = [self._part(key, value, path, f"{where}.{key}") for key, value in written.items()]
        self._depth -= 1
        if path and not parts:
            raise InvalidRequestError(f"{where}: no condition; write one, or leave the key out")
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _part(self, key: object, value: Any, path: Path, where: str) -> Filter:
        if not isinstance(key, str):
            raise InvalidRequestError(f"{where}: a key is a text, not {key!r}")
        if key in _GROUPS:
            return _GROUPS[key](self, value, path, where)
        if key.startswith("$"):
            return self._operator(key, value, path, where)
        path = (*path, *_steps(key, where))
        if isinstance(value, Mapping):
            return self.all_of(value, path, where)
        return self._one_of((value,), path, where)

    def _operator(self, key: str, value: Any, path: Path, where: str) -> Filter:
        if key not in _OPERATORS:
            hint = closest(key, (*_OPERATORS, *_GROUPS)) or "."
            raise InvalidRequestError(
                f"{where}: no operator {key!r}{hint} Where a key of the metadata begins "
                f"so, write it with a backslash before it"
            )
        if not path:
            raise InvalidRequestError(f'{where}: of which value? Write {{"name": {{"{key}": …}}}}')
        return _OPERATORS[key](self, value, path, where)

    def _count(self, where: str, values: int = 1) -> None:
        self._conditions += 1
        self._values += values
        if self._conditions > _MOST_CONDITIONS or self._values > _MOST_VALUES:
            raise InvalidRequestError(
                f"{where}: more than {_MOST_CONDITIONS} conditions, or than {_MOST_VALUES:,} "
                "values in them; ask in parts"
            )

    def _one_of(self, values: tuple[Any, ...], path: Path, where: str) -> Filter:
        self._count(where, len(values))
        return OneOf(path, tuple(_scalar(value, where) for value in values))

    # What each operator makes of its operand.

    def equal(self, value: Any, path: Path, where: str) -> Filter:
        return self._one_of((value,), path, where)

    def unequal(self, value: Any, path: Path, where: str) -> Filter:
        return Not(self._one_of((value,), path, where))

    def among(self, value: Any, path: Path, where: str) -> Filter:
        return self._one_of(tuple(_list(value, where)), path, where)

    def not_among(self, value: Any, path: Path, where: str) -> Filter:
        return Not(self.among(value, path, where))

    def ordered(self, value: Any, path: Path, where: str, *, sign: Sign) -> Filter:
        self._count(where)
        bound = _scalar(value, where)
        if bound is None or isinstance(bound, bool):
            raise InvalidRequestError(
                f"{where}: numbers and texts have an order, and {value!r} is neither"
            )
        return Ordered(path, sign, bound)

    def contains(self, value: Any, path: Path, where: str) -> Filter:
        self._count(where)
        return Contains(path, _scalar(value, where))

    def exists(self, value: Any, path: Path, where: str) -> Filter:
        self._count(where)
        if not isinstance(value, bool):
            raise InvalidRequestError(f"{where}: true or false is needed, not {value!r}")
        return Exists(path) if value else Not(Exists(path))

    def both(self, value: Any, path: Path, where: str) -> Filter:
        return AllOf(self._parts(value, path, where))

    def either(self, value: Any, path: Path, where: str) -> Filter:
        return AnyOf(self._parts(value, path, where))

    def negated(self, value: Any, path: Path, where: str) -> Filter:
        return Not(self.all_of(value, path, where))

    def _parts(self, value: Any, path: Path, where: str) -> tuple[Filter, ...]:
        parts = tuple(
            self.all_of(one, path, f"{where}[{at}]") for at, one in enumerate(_list(value, where))
        )
        if not parts:
            raise InvalidRequestError(f"{where}: an empty list; write conditions, or leave it out")
        return parts


_Make = Callable[[_Reader, Any, Path, str], Filter]
_GROUPS: Final[Mapping[str, _Make]] = {
    "$and": _Reader.both,
    "$or": _Reader.either,
    "$not": _Reader.negated,
}
_OPERATORS: Final[Mapping[str, _Make]] = {
    "$eq": _Reader.equal,
    "$ne": _Reader.unequal,
    "$in": _Reader.among,
    "$nin": _Reader.not_among,
    **{name: partial(_Reader.ordered, sign=sign) for name, sign in _SIGNS.items()},
    "$contains": _Reader.contains,
    "$exists": _Reader.exists,
}


def _steps(key: str, where: str) -> Path:
    steps = [""]
    signs = iter(key)
    for sign in signs:
        if sign == ".":
            steps.append("")
            continue
        meant = next(signs, None) if sign == "\\" else sign
        if meant is None:
            raise InvalidRequestError(f"{where}: a backslash at the end; write \\\\ for one")
        steps[-1] += meant
    return tuple(storable_scalar(step, where=where) for step in steps)


def _scalar(value: Any, where: str) -> Scalar:
    if isinstance(value, list | tuple | set | frozenset):
        raise InvalidRequestError(
            f'{where}: a list; write {{"$in": […]}} for one of these values, '
            'or {"$contains": …} for what a list in the metadata must hold'
        )
    found: Scalar = storable_scalar(value, where=where)
    return found


def _list(value: Any, where: str) -> list[Any]:
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    raise InvalidRequestError(f"{where}: a list is needed, not a {type(value).__name__}")
