"""How the values of a table are sealed, written down in the database beside them.

A value opens only with the names and types that it was sealed with. So a table carries them, in
a condition that always holds: they come and go with the table, and with every backup of it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from timber.common.modeling.features import Normaliser
from timber.common.modeling.subjects import PEOPLE

NOTE: Final = "timber_sealing"
"""The name of the condition, among those of its table."""
_FOUND: Final = re.compile(r"'sealed as (\{(?:[^']|'')*\})'")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_ .,()/-]")
_SAFE: Final = re.compile(r"~([0-9a-f]+)~")


@dataclass(frozen=True, kw_only=True)
class SealedField:
    """How one column is sealed."""

    type: str
    """Of what type its values are, as in a model file."""
    index: str | None = None
    """The column by which equal values are found."""
    normalise: Normaliser = "exact"


@dataclass(frozen=True, kw_only=True)
class NamedColumn:
    """A column that is not sealed, and its type as in a model file."""

    name: str
    type: str


@dataclass(frozen=True, kw_only=True)
class Way:
    """One step along foreign keys to a person."""

    table: str
    key: NamedColumn
    column: NamedColumn


@dataclass(frozen=True, kw_only=True)
class Sealing:
    """How a table is sealed."""

    table: str
    """The name to which values are bound."""
    fields: Mapping[str, SealedField]
    key: tuple[NamedColumn, ...]
    link: NamedColumn | None = None
    """The column by which a row belongs to a person."""
    way: tuple[Way, ...] = field(default=())
    """How it goes on from the link to a person's key."""
    is_people: bool = False
    people: str = PEOPLE
    """The table of that person."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it, without what goes without saying."""
        said: dict[str, Any] = {
            "table": self.table,
            "fields": {name: _said(one) for name, one in sorted(self.fields.items())},
            "key": [_said(one) for one in self.key],
        }
        if self.link is not None:
            said["link"] = _said(self.link)
        if self.way:
            said["way"] = [
                {"table": one.table, "key": _said(one.key), "column": _said(one.column)}
                for one in self.way
            ]
        if self.is_people:
            said["is_people"] = True
        if self.people != PEOPLE:
            said["people"] = self.people
        return said

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "Sealing":
        """Return what `as_dict` has written."""
        return cls(
            table=said["table"],
            fields={name: SealedField(**one) for name, one in said["fields"].items()},
            key=tuple(NamedColumn(**one) for one in said["key"]),
            link=NamedColumn(**said["link"]) if "link" in said else None,
            way=tuple(
                Way(
                    table=one["table"],
                    key=NamedColumn(**one["key"]),
                    column=NamedColumn(**one["column"]),
                )
                for one in said.get("way", ())
            ),
            is_people=said.get("is_people", False),
            people=said.get("people", PEOPLE),
        )


def condition_of(sealing: Sealing) -> str:
    """Return the condition that notes it: SQL of both databases, which holds for every row."""
    # No quote, colon, percent sign or backslash, of which somebody makes something on the way.
    written = json.dumps(_escaped(sealing.as_dict()), separators=(", ", "="))
    return f"'sealed as {written}' <> ''"


def noted_in(condition: str) -> Sealing | None:
    """Return what a condition notes; None: it is another one."""
    found = _FOUND.search(condition)
    if found is None:
        return None
    return Sealing.from_dict(_plain(json.loads(found[1].replace("=", ":"))))


def _said(part: object) -> dict[str, Any]:
    plain = {"exact", None}
    return {name: value for name, value in vars(part).items() if value not in plain}


def _escaped(value: Any) -> Any:
    match value:
        case str():
            return _UNSAFE.sub(lambda one: f"~{ord(one[0]):x}~", value)
        case dict():
            return {_escaped(name): _escaped(one) for name, one in value.items()}
        case list():
            return [_escaped(one) for one in value]
        case _:
            return value


def _plain(value: Any) -> Any:
    match value:
        case str():
            return _SAFE.sub(lambda one: chr(int(one[1], 16)), value)
        case dict():
            return {_plain(name): _plain(one) for name, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case _:
            return value
