"""JSON, read strictly as RFC 8259 says, with the place of every key and value."""

import math
import re
from collections.abc import Callable
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final, Never

from timber.common.documents.document import (
    MAX_DEPTH,
    MAX_PROBLEMS,
    MAX_VALUES,
    Document,
    Mark,
    Path,
)
from timber.common.documents.text import Lines, decode
from timber.common.errors import DocumentError

# The standard library's scanner of one string, which typeshed leaves out.
_scan_string: Final[Callable[[str, int, bool], tuple[str, int]]] = JSONDecoder().parse_string  # type: ignore[attr-defined]
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_NUMBER: Final = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD: Final = re.compile(r"[A-Za-z]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None}
_MAX_DIGITS: Final = 100


def parse_json(content: bytes, *, source: str) -> Document:
    """Read one JSON value.

    Raises:
        DocumentError: with every problem found, each as `file:line:col: what is wrong`.

    """
    reader = _Reader(decode(content, source=source), source)
    value = reader.read()
    return Document(
        source=source,
        value=value,
        value_marks=reader.value_marks,
        key_marks=reader.key_marks,
    )


class _Reader:
    """Reads a text from left to right."""

    def __init__(self, text: str, source: str) -> None:
        self.value_marks: dict[Path, Mark] = {}
        self.key_marks: dict[Path, Mark] = {}
        self._text = text
        self._source = source
        self._lines = Lines(text)
        self._at = 0
        self._problems: list[str] = []

    def read(self) -> Any:
        if not self._peek():
            self._fail("the file is empty")
        value = self._value((), 0)
        if self._peek():
            self._fail("something follows the value")
        if self._problems:
            raise DocumentError(self._problems)
        return value

    def _value(self, path: Path, depth: int) -> Any:
        first = self._peek()
        if depth > MAX_DEPTH:
            self._fail(f"nested more than {MAX_DEPTH} deep")
        if len(self.value_marks) > MAX_VALUES:
            self._fail(f"a file holds at most {MAX_VALUES} values")
        self.value_marks[path] = self._lines.mark(self._at)
        match first:
            case "{":
                return self._mapping(path, depth)
            case "[":
                return self._sequence(path, depth)
            case '"':
                return self._string()
            case _:
                return self._word_or_number()

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        self._at += 1
        if self._took("}"):
            return values
        while True:
            if self._peek() != '"':
                self._fail("expected a key in double quotes")
            start = self._at
            key = self._string()
            here = self._new_key(path, key, start, known=key in values)
            if not self._took(":"):
                self._fail("expected ':' after the key")
            values.setdefault(key, self._value(here, depth + 1))
            if self._took("}"):
                return values
            if not self._took(","):
                self._fail("expected ',' or '}'")

    def _new_key(self, path: Path, key: str, start: int, *, known: bool) -> Path:
        here = (*path, key)
        if known:
            line = self.key_marks[here].line
            self._note(start, f"the key {key!r} is there already, in line {line}")
            here = (*path, f"{key} (again)")
        self.key_marks[here] = self._lines.mark(start)
        return here

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        values: list[Any] = []
        self._at += 1
        if self._took("]"):
            return values
        while True:
            values.append(self._value((*path, len(values)), depth + 1))
            if self._took("]"):
                return values
            if not self._took(","):
                self._fail("expected ',' or ']'")

    def _string(self) -> str:
        start = self._at
        try:
            value, self._at = _scan_string(self._text, start + 1, True)  # noqa: FBT003 - positional only
        except JSONDecodeError as error:
            self._at = error.pos
            self._fail(error.msg[:1].lower() + error.msg[1:].removesuffix(" at"))
        if _SURROGATE.search(value):
            self._note(start, "half of a surrogate pair is no character")
        return value

    def _word_or_number(self) -> Any:
        if number := _NUMBER.match(self._text, self._at):
            return self._number(number)
        word = _WORD.match(self._text, self._at)
        if word is None or word[0] not in _WORDS:
            self._fail("expected a value")
        self._at = word.end()
        return _WORDS[word[0]]

    def _number(self, number: re.Match[str]) -> int | float:
        start, self._at = self._at, number.end()
        whole, fraction, exponent = number.groups()
        if fraction is None and exponent is None:
            if len(whole) > _MAX_DIGITS:
                self._note(start, f"a number of more than {_MAX_DIGITS} digits")
                return 0
            return int(whole)
        value = float(number[0])
        if math.isinf(value):
            self._note(start, "the number is too large")
        return value

    def _peek(self) -> str:
        """Skip white space and return the next character, empty at the end."""
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._text[self._at : self._at + 1]

    def _took(self, character: str) -> bool:
        if self._peek() != character:
            return False
        self._at += 1
        return True

    def _note(self, position: int, message: str) -> None:
        line, column = self._lines.mark(position)
        self._problems.append(f"{self._source}:{line}:{column}: {message}")
        if len(self._problems) > MAX_PROBLEMS:
            raise DocumentError(self._problems)

    def _fail(self, message: str) -> Never:
        self._note(self._at, message)
        raise DocumentError(self._problems)
