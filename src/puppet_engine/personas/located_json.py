"""JSON with the place of every key and value, so that an error can point into the file."""

import json
import re
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]  # missing from typeshed
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""The way from the root to a value: keys and positions."""

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_ATOM: Final = re.compile(r"true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
_DEEPEST: Final = 32


class JSONProblemError(ValueError):
    """A text is not the JSON that we take."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


@dataclass
class LocatedJSON:
    """A JSON text, read. Raises `JSONProblemError` when it is none or repeats a key."""

    text: str
    value: Any = None
    values: dict[Path, int] = field(default_factory=dict)
    """Where each value begins."""
    keys: dict[Path, int] = field(default_factory=dict)
    """Where the key of each entry begins."""

    def __post_init__(self) -> None:
        self.value, end = self._read((), 0)
        if (end := self._skip(end)) != len(self.text):
            raise JSONProblemError(end, "something follows the value")

    def position(self, path: Path, *, of_key: bool = False) -> int:
        """Return where a value begins, or its nearest parent that is there."""
        if of_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values[path]

    def _read(self, path: Path, at: int) -> tuple[Any, int]:
        at = self._skip(at)
        self.values[path] = at
        if len(path) > _DEEPEST:
            raise JSONProblemError(at, f"nested more than {_DEEPEST} deep")
        match self.text[at : at + 1]:
            case "{":
                return self._object(path, at + 1)
            case "[":
                return self._array(path, at + 1)
            case '"':
                return self._string(at)
            case _:
                return self._atom(at)

    def _atom(self, at: int) -> tuple[Any, int]:
        if (atom := _ATOM.match(self.text, at)) is None:
            raise JSONProblemError(at, "expected a value")
        return json.loads(atom[0]), atom.end()

    def _object(self, path: Path, at: int) -> tuple[dict[str, Any], int]:
        entries: dict[str, Any] = {}
        while not self._ends("}", at, first=not entries):
            at = self._skip(at)
            key, after = self._string(at)
            if key in entries:
                line, _ = line_and_column(self.text, self.keys[*path, key])
                raise JSONProblemError(at, f"the key {key!r} is there already, in line {line}")
            self.keys[*path, key] = at
            after = self._expect(":", after)
            entries[key], at = self._read((*path, key), after)
            at = self._next("}", at)
        return entries, self._skip(at) + 1

    def _array(self, path: Path, at: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        while not self._ends("]", at, first=not items):
            item, at = self._read((*path, len(items)), at)
            items.append(item)
            at = self._next("]", at)
        return items, self._skip(at) + 1

    def _string(self, at: int) -> tuple[str, int]:
        if self.text[at : at + 1] != '"':
            raise JSONProblemError(at, 'expected a text in double quotes: "…"')
        try:
            value, end = scanstring(self.text, at + 1)
        except json.JSONDecodeError as error:
            raise JSONProblemError(error.pos, error.msg.lower()) from error
        return str(value), int(end)

    def _ends(self, bracket: str, at: int, *, first: bool) -> bool:
        at = self._skip(at)
        closed = self.text[at : at + 1] == bracket
        if closed and not first and self.text[self._back(at)] == ",":
            raise JSONProblemError(self._back(at), f"a comma before '{bracket}' is one too many")
        return closed

    def _next(self, bracket: str, at: int) -> int:
        """Return where to go on after an entry: behind its comma, or at the bracket."""
        at = self._skip(at)
        return at if self.text[at : at + 1] == bracket else self._expect(",", at)

    def _expect(self, sign: str, at: int) -> int:
        at = self._skip(at)
        if self.text[at : at + 1] != sign:
            raise JSONProblemError(at, f"expected '{sign}'")
        return at + 1

    def _skip(self, at: int) -> int:
        space = _SPACE.match(self.text, at)
        return space.end() if space else at

    def _back(self, at: int) -> int:
        return len(self.text[:at].rstrip(" \t\n\r")) - 1


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """Return line and column of a position, both counted from 1."""
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
