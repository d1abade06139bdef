"""What was read from a file: values, and where in the file each of them stands."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from timber.common.errors import DocumentError

Path: TypeAlias = tuple[str | int, ...]
"""The way from the root of a document to a value: keys and positions."""

MAX_DEPTH: Final = 64
"""How deep lists and mappings may be nested."""

MAX_VALUES: Final = 250_000
"""How many values a file may hold: some ten thousand tables."""

MAX_PROBLEMS: Final = 500
"""How many problems are told at once; who has more has another kind of problem."""


class Mark(NamedTuple):
    """A place in a file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True, kw_only=True)
class Document:
    """The value of a file, with the marks of its keys and values."""

    source: str
    """The file's name, as problems print it."""
    value: Any
    value_marks: dict[Path, Mark] = field(repr=False)
    key_marks: dict[Path, Mark] = field(repr=False)
    """Where the key of a mapping's entry stands, by the path of the entry."""

    def mark(self, path: Path, *, of_key: bool = False) -> Mark:
        """Return where `path` stands: of its nearest parent, if it is not in the document."""
        if of_key and path in self.key_marks:
            return self.key_marks[path]
        while path not in self.value_marks and path:
            path = path[:-1]
        return self.value_marks.get(path, Mark(1, 1))

    def problem(self, path: Path, message: str, *, of_key: bool = False) -> str:
        """Return `file:line:col: message (at path)`."""
        location = f" (at {'.'.join(map(_printable, path))})" if path else ""
        said, semicolon, hint = message.partition("; did you mean ")
        return f"{self.at(self.mark(path, of_key=of_key))}: {said}{location}{semicolon}{hint}"

    def at(self, mark: Mark) -> str:
        """Return `file:line:col`."""
        return f"{self.source}:{mark.line}:{mark.column}"


def _printable(step: object) -> str:
    """Return a step of a path without what would command a terminal."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in str(step))


class ProblemList:
    """Collects the problems of several files, to raise them all at once."""

    def __init__(self, error: type[DocumentError] = DocumentError) -> None:
        self._error = error
        self._problems: list[str] = []

    def add(self, problem: str) -> None:
        """Take one problem.

        Raises:
            DocumentError: there are more than are told at once.

        """
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(problem)
            return
        self._problems[-1] += f"; there are more than {MAX_PROBLEMS} problems"
        self.raise_any()

    def extend(self, problems: Iterable[str]) -> None:
        """Take problems one by one, as `add` does."""
        for problem in problems:
            self.add(problem)

    @contextmanager
    def collecting(self) -> Generator[None]:
        """Take the problems of a `DocumentError` raised inside, and go on."""
        try:
            yield
        except DocumentError as error:
            problems = error.problems
        else:
            return
        self.extend(problems)

    def raise_any(self) -> None:
        """Raise what was collected, each problem once; do nothing if that is nothing."""
        if self._problems:
            raise self._error(tuple(dict.fromkeys(self._problems)))
