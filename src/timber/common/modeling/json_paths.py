"""A place inside a column of JSON, as conditions speak of it: `data.score`."""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Double,
    case,
    cast as as_type,
    column,
    func,
    true,
)
from sqlalchemy.sql.expression import false

Kind: TypeAlias = Literal["number", "text", "truth"]
"""What a value in JSON is taken for."""

_KINDS: Final[Mapping[str, Mapping[Kind, tuple[str, ...]]]] = {
    "sqlite": {
        "number": ("integer", "real"),
        "text": ("text",),
        "truth": ("true", "false"),
    },
    "postgresql": {"number": ("number",), "text": ("string",), "truth": ("boolean",)},
}
"""What each database calls the types of values in JSON."""


class JsonPath(ColumnClause[Any]):
    """It has no type until it is compared: JSON may hold anything there."""

    inherit_cache: bool | None = True

    def __init__(self, written: str, *, dialect: str) -> None:
        super().__init__(written)
        self.base, *self._steps = written.split(".")
        self._dialect = dialect

    @property
    def is_absent(self) -> ColumnElement[bool]:
        """Whether there is nothing, or null."""
        return func.coalesce(self._type, "null") == "null"

    def of_kind(self, kind: Kind) -> ColumnElement[Any]:
        """Return the value if it is of that kind; null otherwise, on both databases."""
        names = _KINDS[self._dialect][kind]
        if kind == "truth":
            said = self._type if self._dialect == "sqlite" else self._text
            return case(
                (self._type.in_(names), case((said == "true", true()), else_=false())),
            )
        value = as_type(self._text, Double) if kind == "number" else self._text
        return case((self._type.in_(names), value))

    @property
    def _type(self) -> ColumnElement[Any]:
        place: ColumnElement[Any] = column(self.base)
        if self._dialect == "sqlite":
            return func.json_type(place, self._sqlite_path)
        return func.jsonb_typeof(func.jsonb_extract_path(place, *self._steps))

    @property
    def _text(self) -> ColumnElement[Any]:
        place: ColumnElement[Any] = column(self.base)
        if self._dialect == "sqlite":
            return func.json_extract(place, self._sqlite_path)
        return func.jsonb_extract_path_text(place, *self._steps)

    @property
    def _sqlite_path(self) -> str:
        return "$" + "".join(f'."{step}"' for step in self._steps)
