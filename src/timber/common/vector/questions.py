"""What is searched for, and among what: the arguments of a search, checked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from timber.common.errors import InvalidRequestError
from timber.common.vector.base import Scope
from timber.common.vector.filter_reader import read_filters
from timber.common.vector.fusion import DENSE, TEXT, Recency, Weights

LARGEST_LIMIT: Final = 10_000
HALF_LIFE_DAYS: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class Question:
    """A search, whatever is searched for."""

    source_types: tuple[str, ...] | None
    """None: all there are."""
    limit: int
    filters: Mapping[str, Any]
    owner: str | None
    weights: Weights
    recency: Recency
    diversity: float
    is_weighed: bool = True
    """Whether the weights of the legs were named, and do not follow the query."""
    without: tuple[str, str] | None = None
    """A document that is no answer, as it is the question."""

    def scope(self, source_type: str) -> Scope:
        """Return where in a source it is searched."""
        return Scope(source_type, owner=self.owner, filters=self.filters)


@dataclass(frozen=True)
class Manner:
    """How a search weighs what it finds; see `fusion.py` and `diversity.py`."""

    weights: Mapping[str, float] | None = None
    recency: float = 0.0
    importance: float = 0.0
    half_life_days: float = HALF_LIFE_DAYS
    diversity: float = 0.0
    as_of: datetime | None = None

    def weighed(self) -> Weights:
        """Return the weights.

        Raises:
            InvalidRequestError: they cannot be used.

        """
        legs = dict(self.weights or {})
        for name in legs:
            if name not in {DENSE, TEXT}:
                raise InvalidRequestError(
                    f"weights: there is no {str(name)[:63]!r}, but {DENSE!r} and {TEXT!r}"
                )
        if legs:
            legs = {DENSE: 0.0, TEXT: 0.0, **legs}
        found = Weights(
            **{name: _weight(weight, f"weights.{name}") for name, weight in legs.items()},
            recency=_weight(self.recency, "recency"),
            importance=_weight(self.importance, "importance"),
        )
        if not found.dense and not found.text:
            raise InvalidRequestError(f"weights: of {DENSE!r} and {TEXT!r} one must be above 0")
        return found

    def aging(self, now: datetime) -> Recency:
        """Return how documents age.

        Raises:
            InvalidRequestError: `as_of` is no moment, or `half_life_days` no length of time.

        """
        days = _weight(self.half_life_days, "half_life_days")
        try:
            half_life = timedelta(days=days)
        except OverflowError:
            half_life = timedelta.max
        if not half_life:
            raise InvalidRequestError("half_life_days: a number above 0 is needed")
        if self.as_of is None:
            return Recency(now, half_life)
        as_of: object = self.as_of
        if not isinstance(as_of, datetime) or as_of.utcoffset() is None:
            raise InvalidRequestError("as_of: a datetime with a time zone is needed")
        return Recency(as_of, half_life)


def question(  # noqa: PLR0913 - the arguments of a search
    *,
    source_type: str | Sequence[str] | None,
    limit: int,
    filters: Mapping[str, Any] | None,
    owner: str | None,
    manner: Manner,
    now: datetime,
    without: tuple[str, str] | None = None,
) -> Question:
    """Return a search.

    Raises:
        InvalidRequestError: an argument cannot be used.

    """
    if type(limit) is not int or not 0 < limit <= LARGEST_LIMIT:
        raise InvalidRequestError(
            f"limit: {limit!r} is no whole number from 1 to {LARGEST_LIMIT:,}"
        )
    if owner is not None and not isinstance(owner, str):
        raise InvalidRequestError(f"owner: a text is needed, not a {type(owner).__name__}")
    read_filters(filters or {})  # before anything is embedded
    diversity = _weight(manner.diversity, "diversity")
    if diversity > 1:
        raise InvalidRequestError("diversity: a number from 0 to 1 is needed")
    return Question(
        source_types=_source_types(source_type),
        limit=limit,
        filters=filters or {},
        owner=owner,
        weights=manner.weighed(),
        recency=manner.aging(now),
        diversity=diversity,
        is_weighed=bool(manner.weights),
        without=without,
    )


def searched_text(query: object) -> str:
    """Return what is searched for.

    Raises:
        InvalidRequestError: it is no text, or blank.

    """
    if not isinstance(query, str):
        raise InvalidRequestError(f"query: a text is needed, not a {type(query).__name__}")
    if not query or query.isspace():
        raise InvalidRequestError("query: it is blank; give words to search for")
    return query


def _source_types(given: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    names: tuple[object, ...] = (given,) if isinstance(given, str) else tuple(given)
    for name in names:
        if not isinstance(name, str) or not name:
            raise InvalidRequestError(f"source_type: {name!r} is no name of a source")
    return tuple(dict.fromkeys(map(str, names)))


def _weight(value: object, where: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < 0:  # type: ignore[arg-type, operator] # it is one
        raise InvalidRequestError(f"{where}: {value!r} is no number from 0 on")
    return float(value)  # type: ignore[arg-type]
