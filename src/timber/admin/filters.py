"""The filters of lists, by the type of the column."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import not_
from starlette_admin.contrib.sqla import filters as given
from starlette_admin.filters import BaseFilter, FilterApplyContext, FilterValidationError
from typing_extensions import override


def _column(context: FilterApplyContext) -> Any:
    return getattr(context.view.model, context.field_name)  # type: ignore[union-attr]


class Contains(given.ContainsFilter):
    """Holds a text, whose `%` and `_` are only characters."""

    @override
    def apply(self, ctx: FilterApplyContext) -> Any:
        return _column(ctx).icontains(ctx.value, autoescape=True)


class NotContains(given.NotContainsFilter):
    """Does not hold a text."""

    @override
    def apply(self, ctx: FilterApplyContext) -> Any:
        return not_(_column(ctx).icontains(ctx.value, autoescape=True))


class StartsWith(given.StartsWithFilter):
    """Begins with a text."""

    @override
    def apply(self, ctx: FilterApplyContext) -> Any:
        return _column(ctx).istartswith(ctx.value, autoescape=True)


class EndsWith(given.EndsWithFilter):
    """Ends with a text."""

    @override
    def apply(self, ctx: FilterApplyContext) -> Any:
        return _column(ctx).iendswith(ctx.value, autoescape=True)


def _utc(moment: Any) -> Any:
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else moment


class MomentBetween(given.DateTimeBetweenFilter):
    """Lies between two moments, typed in UTC."""

    @override
    def parse_value(self, raw: Any) -> Any:
        return _utc(super().parse_value(raw))


class KeyIs(given.EqualFilter):
    """Points to the row with a key."""

    label = "Is (key)"

    @override
    def apply(self, ctx: FilterApplyContext) -> Any:
        return _column(ctx) == ctx.value


class NumericKeyIs(KeyIs):
    """Points to the row with a number as its key."""

    @override
    def parse_value(self, raw: str) -> int:
        try:
            return int(raw)
        except ValueError:
            raise FilterValidationError(f"{raw!r} is no whole number") from None


_NULL: Final[list[type[BaseFilter]]] = [given.IsNullFilter, given.IsNotNullFilter]
_NUMBERS: Final[list[type[BaseFilter]]] = [
    given.NumericEqualFilter,
    given.NumericNotEqualFilter,
    given.GreaterThanFilter,
    given.GreaterThanOrEqualFilter,
    given.LessThanFilter,
    given.LessThanOrEqualFilter,
    given.BetweenFilter,
]
_TEXTS: Final[list[type[BaseFilter]]] = [
    Contains,
    NotContains,
    StartsWith,
    EndsWith,
    given.EqualFilter,
    given.NotEqualFilter,
]
_BY_TYPE: Final[dict[type, list[type[BaseFilter]]]] = {
    str: _TEXTS,
    int: _NUMBERS,
    float: _NUMBERS,
    Decimal: _NUMBERS,
    bool: [given.IsTrueFilter, given.IsFalseFilter],
    datetime: [MomentBetween],
    date: [given.DateEqualFilter, given.DateBetweenFilter],
}


def filters_of(kind: type, *, is_reference: bool, nullable: bool) -> list[type[BaseFilter]]:
    """Return the filters of a column whose values are of a Python type."""
    if is_reference:
        found: list[type[BaseFilter]] = [NumericKeyIs if kind is int else KeyIs]
    else:
        found = list(_BY_TYPE.get(kind, []))
    return found + (_NULL if nullable else [])


CHOICE_FILTERS: Final[list[type[BaseFilter]]] = [given.InFilter, given.NotInFilter]
