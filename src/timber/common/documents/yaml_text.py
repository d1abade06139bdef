"""YAML, read as its version 1.2 says: `NO` and `12:30:45` are text.

The parser is libyaml's, taken event by event, so nesting and aliases are bounded while reading.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, Never

import yaml

from timber.common.documents.document import MAX_DEPTH, Document, Mark, Path
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
_MAX_DIGITS: Final = 100


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
        self._anchored: dict[str, list[yaml.Event]] = {}
        self._aliased = 0

    def build(self, parsed: Iterator[yaml.Event]) -> None:
        """Take the events of a whole stream."""
        events = _Events(parsed)
        events.next()  # the start of the stream
        if isinstance(events.peek(), yaml.StreamEndEvent):
            self._fail(events.peek(), "the file is empty")
        events.next()  # the start of the document
        self.value = self._node(events, (), 0)
        events.next()  # the end of the document
        if not isinstance(events.peek(), yaml.StreamEndEvent):
            self._fail(events.peek(), "a second document begins here; one a file is allowed")

    def _node(self, events: "_Events", path: Path, depth: int) -> Any:
        event = events.next()
        if depth > MAX_DEPTH:
            self._fail(event, f"nested more than {MAX_DEPTH} deep")
        self.value_marks[path] = _mark(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, depth)
        if events.replayed:
            self._count(event)
        self._refuse_tag(event)
        return self._content(event, events, path, depth)

    def _content(self, event: yaml.Event, events: "_Events", path: Path, depth: int) -> Any:
        anchor = getattr(event, "anchor", None)
        recording = events.record(event) if anchor is not None else None
        value: Any
        if isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(events, path, depth)
        elif isinstance(event, yaml.MappingStartEvent):
            value = self._mapping(events, path, depth)
        else:
            value = self._scalar(event)
        if anchor is not None and recording is not None:
            self._anchored[anchor] = recording
            events.stop(recording)
        return value

    def _sequence(self, events: "_Events", path: Path, depth: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(events.peek(), yaml.SequenceEndEvent):
            values.append(self._node(events, (*path, len(values)), depth + 1))
        events.next()
        return values

    def _mapping(self, events: "_Events", path: Path, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(events.peek(), yaml.MappingEndEvent):
            event = events.peek()
            key = self._key(events)
            here = (*path, key)
            if key in values:
                first = self.key_marks[here]
                self._note(event, f"the key {key!r} is there already, in line {first.line}")
                here = (*path, f"{key} (again)")
            self.key_marks[here] = _mark(event.start_mark)
            values.setdefault(key, self._node(events, here, depth + 1))
        events.next()
        return values

    def _key(self, events: "_Events") -> str:
        event = events.next()
        if not isinstance(event, yaml.ScalarEvent):
            self._fail(event, "a key must be text, written out")
        self._refuse_tag(event)
        value = self._scalar(event)
        if isinstance(value, str):
            return value
        self._note(event, "a key must be text; put it in quotes")
        return str(event.value)

    def _scalar(self, event: yaml.Event) -> Any:
        text = str(getattr(event, "value", ""))
        plain = getattr(event, "implicit", (False, False))[0]
        if not plain:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            if len(text) > _MAX_DIGITS:
                self._note(event, f"a number of more than {_MAX_DIGITS} digits")
                return 0
            return int(text, 10 if text[:2] not in {"0o", "0x"} else 0)
        return float(text) if _FLOAT.fullmatch(text) else text

    def _alias(self, event: yaml.AliasEvent, path: Path, depth: int) -> Any:
        recorded = self._anchored.get(str(event.anchor))
        if recorded is None:
            self._fail(event, f"no anchor &{event.anchor} is complete before this alias")
        return self._node(_Events(iter(recorded), replayed=True), path, depth)

    def _count(self, event: yaml.Event) -> None:
        self._aliased += 1
        if self._aliased > MAX_ALIASED:
            self._fail(event, f"aliases stand for more than {MAX_ALIASED} values")

    def _refuse_tag(self, event: yaml.Event) -> None:
        tag = getattr(event, "tag", None)
        if tag not in {None, "!", "tag:yaml.org,2002:str"}:
            self._note(event, f"the tag {tag!r} is not supported")

    def _note(self, event: yaml.Event, message: str) -> None:
        line, column = _mark(event.start_mark)
        self.problems.append(f"{self._source}:{line}:{column}: {message}")

    def _fail(self, event: yaml.Event, message: str) -> Never:
        self._note(event, message)
        raise DocumentError(self.problems)


class _Events:
    """Events one by one, with one of look-ahead; what an anchor names is recorded."""

    def __init__(self, events: Iterator[yaml.Event], *, replayed: bool = False) -> None:
        self._events = events
        self._next: yaml.Event | None = None
        self._recordings: list[list[yaml.Event]] = []
        self.replayed = replayed

    def peek(self) -> yaml.Event:
        if self._next is None:
            self._next = next(self._events)
        return self._next

    def next(self) -> yaml.Event:
        event = self.peek()
        self._next = None
        for recording in self._recordings:
            recording.append(event)
        return event

    def record(self, first: yaml.Event) -> list[yaml.Event]:
        self._recordings.append([first])
        return self._recordings[-1]

    def stop(self, recording: list[yaml.Event]) -> None:
        self._recordings = [one for one in self._recordings if one is not recording]
