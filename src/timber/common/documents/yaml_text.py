"""YAML, read as its version 1.2 says: `NO` and `12:30:45` are text.

The parser is libyaml's, taken event by event, so nesting and aliases are bounded while reading.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, Never

import yaml

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

MAX_ALIASED: Final = 10_000
"""How many values all aliases of a file may stand for together."""

_UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NUMERIC_STARTS: Final = frozenset("0123456789+-.")
_MAX_DIGITS: Final = 100


def is_plain_text(text: str) -> bool:
    """Tell whether YAML 1.2 reads a text as text where it stands without quotes."""
    return text not in _WORDS and not _INTEGER.fullmatch(text) and not _FLOAT.fullmatch(text)


def parse_yaml(content: bytes, *, source: str) -> Document:
    """Read one YAML document.

    Raises:
        DocumentError: with every problem found, each as `file:line:col: what is wrong`.

    """
    text = decode(content, source=source)
    if found := _UNPRINTABLE.search(text):
        mark = Lines(text).mark(found.start())
        problem = f"the character U+{ord(found[0]):04X} is not allowed"
        raise DocumentError([f"{source}:{mark.line}:{mark.column}: {problem}"])
    builder = _Builder(source)
    try:
        builder.build(yaml.parse(text, Loader=yaml.CLoader))
    except yaml.MarkedYAMLError as error:
        raise DocumentError([*builder.problems, _syntax_problem(error, text, source)]) from None
    except yaml.YAMLError as error:
        raise DocumentError([f"{source}:1:1: {error}"]) from error
    if builder.problems:
        raise DocumentError(builder.problems)
    return Document(
        source=source,
        value=builder.value,
        value_marks=builder.value_marks,
        key_marks=builder.key_marks,
    )


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, source: str) -> str:
    place = error.problem_mark or error.context_mark
    mark = _mark(place) if place else Mark(1, 1)
    lines = text.splitlines()
    line = lines[mark.line - 1] if mark.line <= len(lines) else ""
    message = error.problem or "not YAML"
    if "\t" in line[: len(line) - len(line.lstrip())] + line[mark.column - 1 : mark.column]:
        message = "a tab cannot indent; use spaces"
    return f"{source}:{mark.line}:{mark.column}: {message}"


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


class _Builder:
    """Builds values from events, and notes where each of them stands."""

    def __init__(self, source: str) -> None:
        self.value: Any = None
        self.value_marks: dict[Path, Mark] = {}
        self.key_marks: dict[Path, Mark] = {}
        self.problems: list[str] = []
        self._source = source
        self._events: Iterator[yaml.Event] = iter(())
        self._recordings: list[list[yaml.Event]] = []
        """One for each anchored value that is being read."""
        self._anchored: dict[str, list[yaml.Event]] = {}
        self._replayed = False
        self._aliased = 0

    def build(self, parsed: Iterator[yaml.Event]) -> None:
        """Take the events of a whole stream."""
        self._events = parsed
        self._next()  # the start of the stream
        event = self._next()  # the start of the document
        if isinstance(event, yaml.StreamEndEvent):
            self._fail(event, "the file is empty")
        self.value = self._node(self._next(), (), 0)
        self._next()  # the end of the document
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._fail(event, "a second document begins here; one a file is allowed")

    def _next(self) -> yaml.Event:
        event = next(self._events)
        for recording in self._recordings:
            recording.append(event)
        return event

    def _node(self, event: yaml.Event, path: Path, depth: int) -> Any:
        marks = self.value_marks
        marks[path] = _mark(event.start_mark)
        if depth > MAX_DEPTH:
            self._fail(event, f"nested more than {MAX_DEPTH} deep")
        if len(marks) > MAX_VALUES:
            self._fail(event, f"a file holds at most {MAX_VALUES} values")
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self._alias(event, path, depth)
        if self._replayed:
            self._count(event)
        if event.tag is not None:  # type: ignore[attr-defined]  # all but an alias have one
            self._refuse_tag(event)
        if event.anchor is not None:  # type: ignore[attr-defined]
            return self._anchor(event, path, depth)
        if kind is yaml.ScalarEvent:
            return self._scalar(event)
        return self._collection(event, path, depth)

    def _collection(self, event: yaml.Event, path: Path, depth: int) -> Any:
        if type(event) is yaml.MappingStartEvent:
            return self._mapping(path, depth + 1)
        if type(event) is yaml.SequenceStartEvent:
            return self._sequence(path, depth + 1)
        return self._scalar(event)

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        values: list[Any] = []
        while type(event := self._next()) is not yaml.SequenceEndEvent:
            values.append(self._node(event, (*path, len(values)), depth))
        return values

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while type(event := self._next()) is not yaml.MappingEndEvent:
            key = self._key(event)
            here = (*path, key)
            if key in values:
                first = self.key_marks[here]
                self._note(event, f"the key {key!r} is there already, in line {first.line}")
                here = (*path, f"{key} (again)")
            self.key_marks[here] = _mark(event.start_mark)
            value = self._node(self._next(), here, depth)
            values.setdefault(key, value)
        return values

    def _key(self, event: yaml.Event) -> str:
        if type(event) is not yaml.ScalarEvent:
            self._fail(event, "a key must be text, written out")
        if event.tag is not None:
            self._refuse_tag(event)
        value = self._scalar(event)
        if isinstance(value, str):
            return value
        self._note(event, "a key must be text; put it in quotes")
        return str(event.value)

    def _scalar(self, event: yaml.Event) -> Any:
        text: str = event.value  # type: ignore[attr-defined]  # a scalar has one
        if not event.implicit[0]:  # type: ignore[attr-defined]  # it is in quotes
            return text
        if text in _WORDS:
            return _WORDS[text]
        return self._number(event, text) if text[0] in _NUMERIC_STARTS else text

    def _number(self, event: yaml.Event, text: str) -> int | float | str:
        if not _INTEGER.fullmatch(text):
            return float(text) if _FLOAT.fullmatch(text) else text
        if len(text) > _MAX_DIGITS:
            self._note(event, f"a number of more than {_MAX_DIGITS} digits")
            return 0
        return int(text, 10 if text[:2] not in {"0o", "0x"} else 0)

    def _anchor(self, event: yaml.Event, path: Path, depth: int) -> Any:
        recording = [event]
        self._recordings.append(recording)
        value = self._collection(event, path, depth)
        self._recordings = [one for one in self._recordings if one is not recording]
        self._anchored[str(event.anchor)] = recording  # type: ignore[attr-defined]
        return value

    def _alias(self, event: yaml.Event, path: Path, depth: int) -> Any:
        anchor = str(event.anchor)  # type: ignore[attr-defined]
        recorded = self._anchored.get(anchor)
        if recorded is None:
            self._fail(event, f"no anchor &{anchor} is complete before this alias")
        outside = self._events, self._recordings, self._replayed
        self._events, self._recordings, self._replayed = iter(recorded), [], True
        value = self._node(self._next(), path, depth)
        self._events, self._recordings, self._replayed = outside
        return value

    def _count(self, event: yaml.Event) -> None:
        self._aliased += 1
        if self._aliased > MAX_ALIASED:
            self._fail(event, f"aliases stand for more than {MAX_ALIASED} values")

    def _refuse_tag(self, event: yaml.Event) -> None:
        tag = event.tag  # type: ignore[attr-defined]
        if tag not in {"!", "tag:yaml.org,2002:str"}:
            self._note(event, f"the tag {tag!r} is not supported")

    def _note(self, event: yaml.Event, message: str) -> None:
        line, column = _mark(event.start_mark)
        self.problems.append(f"{self._source}:{line}:{column}: {message}")
        if len(self.problems) > MAX_PROBLEMS:
            raise DocumentError(self.problems)

    def _fail(self, event: yaml.Event, message: str) -> Never:
        self._note(event, message)
        raise DocumentError(self.problems)
