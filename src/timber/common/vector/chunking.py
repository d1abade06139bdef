"""Cuts texts into pieces that an embedder can read whole.

A text is cut where it hurts least: before a heading or a definition, else between paragraphs,
else between sentences (in code: between lines), else between words, and within a word only if
that alone is too long. Pieces are as long as they may be, and joined they are the text again.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

LONGEST_UNKNOWN: Final = 1000
"""How many characters an embedder is given that does not say how many tokens it reads."""

_SECTIONS: Final = re.compile(
    r"\n(?=\#{1,6}\s|(?:async\s+)?def\s|class\s|@\w|func\s|fn\s|pub\s|impl\s|function\s|export\s)"
)
_PARAGRAPHS: Final = re.compile(r"\n[ \t]*\n\s*(?=\S)|\n\s*\n$")
_LINES: Final = re.compile(r"\n")
_SENTENCES: Final = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+(?=\S)|(?<=[。！？])|\n(?=\s*[-*•]\s)")  # noqa: RUF001 - the ends of sentences of other scripts
_WORDS: Final = re.compile(r"\s+(?=\S)")
_FENCE: Final = re.compile(r"^[ \t]*(```|~~~)", re.MULTILINE)
_LIKE_CODE: Final = re.compile(r"^(?:[ \t]{2,}\S|.*[{};:,(\[]\s*$)", re.MULTILINE)


@dataclass(frozen=True)
class Budget:
    """How long a piece may be."""

    limit: int
    measure: Callable[[str], int] = len
    """Of two texts that are joined at a space, about the sum of both."""

    def capped(self, limit: int | None) -> "Budget":
        """Return it with a lower limit, if that is one."""
        return self if limit is None else Budget(min(limit, self.limit), self.measure)


def budget_of(embedder: Any) -> Budget:
    """Return what an embedder can read: by its `max_tokens` and `count_tokens`, if it has them.

    On its class: a mock has every attribute.
    """
    count = getattr(embedder, "count_tokens", None)
    limit = getattr(embedder, "max_tokens", None)
    if hasattr(type(embedder), "count_tokens") and callable(count) and type(limit) is int:
        return Budget(limit, count)
    return Budget(LONGEST_UNKNOWN // _SIGNS_PER_TOKEN, _estimated)


_SIGNS_PER_TOKEN: Final = 4


def _estimated(text: str) -> int:
    return -(-len(text) // _SIGNS_PER_TOKEN)


def chunks_of(text: str, budget: Budget) -> list[str]:
    """Return the pieces of a text; none for one that is blank. Joined, they are the text."""
    if not text or text.isspace():
        return []
    return [piece for piece, _ in _packed(_parts(text, budget, 0), budget)]


def _parts(text: str, budget: Budget, level: int) -> Iterator[tuple[str, int]]:
    """Give parts, each short enough, with how long each is."""
    # No token is shorter than a character: a short text need not be counted.
    size = len(text) if level == 0 and len(text) <= budget.limit else budget.measure(text)
    if size <= budget.limit:
        yield text, size
        return
    if level == len(_LEVELS):
        yield from _cut(text, budget)
        return
    for part in _LEVELS[level](text):
        yield from _parts(part, budget, level + 1)


def _packed(parts: Iterator[tuple[str, int]], budget: Budget) -> Iterator[tuple[str, int]]:
    """Join neighbours for as long as they fit; blank space never stands alone."""
    held, size = "", 0
    for part, length in parts:
        fits = size + length <= budget.limit
        if held and not held.isspace() and not part.isspace() and not fits:
            yield held, size
            held, size = "", 0
        held, size = held + part, size + length
    if held:
        yield held, size


def _cut(text: str, budget: Budget) -> Iterator[tuple[str, int]]:
    """Cut what has no place to cut it at."""
    while text:
        length = len(text)
        while length > 1 and budget.measure(text[:length]) > budget.limit:
            length //= 2
        yield text[:length], budget.measure(text[:length])
        text = text[length:]


def _split_at(pattern: re.Pattern[str], text: str) -> list[str]:
    """Return the text in parts, each with the space that ends it."""
    return _cut_at([match.end() for match in pattern.finditer(text)], text)


def _cut_at(places: list[int], text: str) -> list[str]:
    ends = [place for place in places if 0 < place < len(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def _outside_fences(pattern: re.Pattern[str], text: str) -> list[str]:
    """Cut at a pattern, but not within a block of code."""
    marks = [match.start() for match in _FENCE.finditer(text)]
    fenced = list(zip(marks[::2], marks[1::2], strict=False))
    found = (match.end() for match in pattern.finditer(text))
    return _cut_at(
        [one for one in found if not any(start < one <= end for start, end in fenced)], text
    )


def _sections(text: str) -> list[str]:
    return _outside_fences(_SECTIONS, text)


def _paragraphs(text: str) -> list[str]:
    return _outside_fences(_PARAGRAPHS, text)


def _blocks(text: str) -> list[str]:
    return _split_at(_PARAGRAPHS, text)


def _sentences(text: str) -> list[str]:
    return _split_at(_LINES if _is_code(text) else _SENTENCES, text)


def _lines(text: str) -> list[str]:
    return _split_at(_LINES, text)


def _words(text: str) -> list[str]:
    return _split_at(_WORDS, text)


_LEVELS: Final = (_sections, _paragraphs, _blocks, _sentences, _lines, _words)


def _is_code(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip()]
    return len(lines) > 1 and 2 * len(_LIKE_CODE.findall(text)) >= len(lines)
