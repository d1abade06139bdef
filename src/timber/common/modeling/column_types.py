"""The type language of columns, such as `String(36)`, `Enum(draft, done)` and `DateTime`."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ARRAY
from sqlalchemy.types import TypeEngine

from timber.common.documents import closest
from timber.common.modeling.column_kinds import KINDS
from timber.common.modeling.stored_types import TextEnum, UtcDateTime

__all__ = ["TYPE_NAMES", "ColumnType", "UtcDateTime", "parse_type"]

TYPE_NAMES: Final = (*KINDS, "Enum", "Array")
"""The names of all column types."""

_WRITTEN: Final = re.compile(r"([A-Za-z]{1,20})\s*(?:\((.*)\))?", re.DOTALL)
_NUMBERS: Final = re.compile(r"\s*[0-9]{1,9}\s*(?:,\s*[0-9]{1,9}\s*)*")
_MEMBER: Final = re.compile(
    r"""\s*(?:"([^"]*)"|'([^']*)'|([\w.:+/-]+(?: +[\w.:+/-]+)*))\s*(?:,|$)"""
)
_MAX_WRITTEN: Final = 10_000
_MAX_MEMBER: Final = 255
_UUID_LENGTH: Final = 36
_TEXTS: Final = frozenset({"String", "Unicode", "Text", "UnicodeText"})
_NO_SERVER_LITERAL: Final = frozenset(
    {"DateTime", "Interval", "Uuid", "LargeBinary", "Vector", "Array"}
)
_SIZED: Final = frozenset({"String", "Unicode", "CHAR"})


@dataclass(frozen=True)
class ColumnType:
    """One type as written in a model file."""

    name: str
    arguments: tuple[int, ...] = ()
    members: tuple[str, ...] = ()
    """The values that an `Enum` allows."""
    item: "ColumnType | None" = None
    """What an `Array` holds."""

    def build(self, column: str | None = None) -> TypeEngine[Any]:
        """Return the SQLAlchemy type; `column` names the constraint of an `Enum`."""
        if self.item is not None:
            return ARRAY(self.item.build())
        if self.members:
            # Text and a check: unlike a type of its own, it can be changed on both databases.
            return TextEnum(
                *self.members,
                native_enum=False,
                create_constraint=column is not None,
                name=f"{column}_values" if column else None,
            )
        return KINDS[self.name].build(*self.arguments)

    @property
    def family(self) -> str:
        """The name under which columns can point to each other: all texts are one."""
        return "text" if self.name in _TEXTS else self.name

    @property
    def length(self) -> int | None:
        """How many characters fit; None if there is no limit, or it is no text."""
        if self.members:
            return max(map(len, self.members))
        return self.arguments[0] if self.name in _SIZED else None

    @property
    def holds_ids(self) -> bool:
        """Whether an id of 36 characters fits."""
        if self.family != "text":
            return self.name in {"Uuid", "CHAR"} and self.length in {None, _UUID_LENGTH}
        return self.length is None or self.length >= _UUID_LENGTH

    def literal(self, default: Any) -> Any:
        """Return a default as Python has it.

        Raises:
            ValueError: it does not fit the type.

        """
        if self.item is not None:
            return self._list(default)
        if self.members:
            if default not in self.members:
                hint = closest(default, self.members)
                raise ValueError(f"the default must be one of {', '.join(self.members)}{hint}")
            return default
        kind = KINDS[self.name]
        try:
            value = kind.literal(default)
        except (TypeError, ValueError, OverflowError):
            message = f"the default must be {kind.default_is}, for the type is {self.name}"
            raise ValueError(message) from None
        if self.length is not None and len(value) > self.length:
            raise ValueError(f"the default is longer than {self.length}")
        return value

    def default_problem(self, default: object) -> str | None:
        """Return what is wrong with a default for this type; None if nothing is."""
        if default in ("uuid4", "uuid7"):
            if self.holds_ids:
                return None
            return f"{default} needs a column of type Uuid, or String({_UUID_LENGTH}) or longer"
        if default == "now" and self.name in {"DateTime", "Date"}:
            return None
        try:
            self.literal(default)
        except ValueError as error:
            return str(error)
        return None

    def server_default_problem(self, default: object) -> str | None:
        """Return what is wrong with a default that the database gives; None if nothing is."""
        if default == "uuid7":
            return "no database makes uuid7: write it as `default`"
        if self.name in _NO_SERVER_LITERAL and default not in ("uuid4", "now"):
            return f"a column of type {self.name} takes no literal as server_default"
        return self.default_problem(default)

    def _list(self, default: object) -> list[Any]:
        if not isinstance(default, list) or self.item is None:
            raise ValueError(f"the default must be a list, for the type is {self.name}")
        return [self.item.literal(one) for one in default]


@lru_cache(maxsize=4096)
def parse_type(written: str) -> ColumnType:
    """Return the type that `written` stands for.

    Raises:
        ValueError: there is no such type, or its arguments are wrong.

    """
    match = _WRITTEN.fullmatch(written.strip()) if len(written) <= _MAX_WRITTEN else None
    if match is None or match[1] not in TYPE_NAMES:
        hint = closest(written[:50].partition("(")[0], TYPE_NAMES)
        raise ValueError(f"no type {written[:50]!r}, but {', '.join(TYPE_NAMES)}{hint}")
    name, inside = match[1], match[2]
    if name == "Enum":
        return ColumnType(name, members=_members(inside or ""))
    if name == "Array":
        return ColumnType(name, item=_item(inside or ""))
    return ColumnType(name, _numbers(name, inside))


def _numbers(name: str, inside: str | None) -> tuple[int, ...]:
    kind = KINDS[name]
    written = inside is not None and _NUMBERS.fullmatch(inside)
    numbers = tuple(map(int, inside.split(","))) if inside is not None and written else ()
    fits = len(numbers) == len(kind.limits) and (inside is None) == (not kind.limits)
    fits = fits and all(
        number <= limit for number, limit in zip(numbers, kind.limits, strict=True)
    )
    if not fits or (numbers and numbers[0] < 1):
        raise ValueError(f"write the type {name} as {kind.example or name}")
    if name == "Numeric" and numbers[1] > numbers[0]:
        raise ValueError("a Numeric has no more digits behind the point than in all")
    return numbers


def _members(inside: str) -> tuple[str, ...]:
    found: list[str] = []
    at = 0
    while at < len(inside):
        match = _MEMBER.match(inside, at)
        if match is None:
            break
        found.append(next(group for group in match.groups() if group is not None))
        at = match.end()
    if not found or at < len(inside) or inside.rstrip().endswith(","):
        raise ValueError("write the type Enum as Enum(draft, done), or Enum('in work', done)")
    if len(set(found)) < len(found):
        raise ValueError("an Enum names a value twice")
    if not all(1 <= len(member) <= _MAX_MEMBER for member in found):
        raise ValueError(f"a value of an Enum has 1 to {_MAX_MEMBER} characters")
    return tuple(found)


def _item(inside: str) -> ColumnType:
    item = (
        parse_type(inside) if inside.strip() and not inside.strip().startswith("Array") else None
    )
    if item is None or item.name in {"JSON", "Vector", "Enum"}:
        raise ValueError("write the type Array with what it holds, as Array(String(20))")
    return item
