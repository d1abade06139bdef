"""Not saying again what one, or another of the cast, has said: the guard against repetition.

Texts are compared without the handles they are addressed to, without links and in lower case.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Final

from puppet_engine.style.anatomy import WORD, prose
from puppet_engine.style.findings import Violation, violation

NEAR: Final = 0.85
"""From this likeness on two texts are one (`facts`: no pair above it)."""

SHARED: Final = 0.5
"""So great a part of a text's spans of words may come from one earlier text."""

OPENING: Final = 3
"""So many words make an opening."""

OPENINGS_KEPT: Final = 25
"""An opening may come again after so many texts: then it makes less than a twentieth."""

SPAN: Final = 3
SHINGLE: Final = 5
_SUSPECT: Final = 0.5
"""Texts that share less of their words than this are no near-duplicates: no need to look on."""
_HINT: Final = 0.3
"""Of texts that share less of their words than this it is not asked what they mean."""
_FEW: Final = 4
"""Texts of fewer words are too short to say anything twice, but for the whole."""

Likeness = Callable[[str, str], float]
"""How much two texts mean the same, 0 to 1. The port to embedders: without one, words decide."""


@dataclass(frozen=True)
class Print:
    """What a text is compared by."""

    prose: str
    """The text without links, mentions and hashtags."""
    words: tuple[str, ...]
    bag: frozenset[str]
    spans: frozenset[int]
    """The hashes of its spans of words, by which this process knows them: many are kept."""

    @property
    def opening(self) -> tuple[str, ...]:
        """The first words, by which it is recognised."""
        return self.words[:OPENING]


@lru_cache(maxsize=1024)
def print_of(text: str) -> Print:
    """Return what a text is compared by."""
    plain = prose(text)
    said = tuple(intern(word.casefold()) for word in WORD.findall(plain))
    spans = frozenset(hash(said[at : at + SPAN]) for at in range(len(said) - SPAN + 1))
    return Print(prose=plain, words=said, bag=frozenset(said), spans=spans)


class RepetitionGuard:
    """Compares a text with the agent's own past, and with what the others said lately."""

    def __init__(self, likeness: Likeness | None = None) -> None:
        self._likeness = likeness

    def check(
        self, text: str, *, own: Sequence[str], cast: Sequence[str] = ()
    ) -> Iterator[Violation]:
        """Yield what a text repeats of `own` words, or of the `cast`'s; both newest first."""
        mine = print_of(text)
        if (same := next((it for it in own if self._is_near(text, it)), None)) is not None:
            yield _repeats(text, "own", f"says again what was said before: {_short(same)!r}")
        elif (same := next((it for it in cast if self._is_near(text, it)), None)) is not None:
            yield _repeats(text, "cast", f"another has said it: {_short(same)!r}")
        elif len(mine.words) >= _FEW:
            yield from self._in_part(text, mine, own)

    def _in_part(self, text: str, mine: Print, own: Sequence[str]) -> Iterator[Violation]:
        for earlier in own:
            if shared_part(mine, print_of(earlier)) > SHARED:
                reason = f"is half made of an earlier text: {_short(earlier)!r}"
                yield violation("repetition.spans", reason, "find other words", text=text,
                                is_hard=False)  # fmt: skip
                break
        if any(print_of(it).opening == mine.opening for it in own[:OPENINGS_KEPT]):
            reason = f"begins as an earlier text: {' '.join(mine.opening)!r}"
            yield violation("repetition.opening", reason, "begin in another way", text=text,
                            is_hard=False)  # fmt: skip

    def _is_near(self, text: str, other: str) -> bool:
        mine, theirs = print_of(text), print_of(other)
        if _nearness(mine, theirs) >= NEAR:
            return True
        return (
            self._likeness is not None
            and _is_hinted(mine, theirs)
            and self._likeness(mine.prose, theirs.prose) >= NEAR
        )


def _is_hinted(mine: Print, theirs: Print) -> bool:
    """Tell whether two texts may mean the same: who says a thing anew keeps some of its words."""
    fewer = min(len(mine.bag), len(theirs.bag))
    return fewer >= _FEW and len(mine.bag & theirs.bag) >= _HINT * fewer


def near_likeness(one: str, other: str) -> float:
    """Return how alike two texts are, 0 to 1: Jaccard's index of their spans of characters."""
    return _nearness(print_of(one), print_of(other))


def _nearness(mine: Print, theirs: Print) -> float:
    if mine.words == theirs.words:
        return 1.0
    both = len(mine.bag & theirs.bag)
    if both < _SUSPECT * max(len(mine.bag), len(theirs.bag)):
        return 0.0
    here, there = shingles(mine), shingles(theirs)
    return len(here & there) / max(1, len(here | there))


@lru_cache(maxsize=1024)
def marks_of(text: str) -> tuple[int, ...]:
    """Return the marks of a text: two near-duplicates share one but in a case of 2,000."""
    # What only tells of the command line has no text to mark, and NumPy takes long to load.
    from puppet_engine.style.minhash import marks  # noqa: PLC0415

    return marks(shingles(print_of(text)))


def shared_part(mine: Print, theirs: Print) -> float:
    """Return the part of a text's spans of words that is in another text, too."""
    return len(mine.spans & theirs.spans) / max(1, len(mine.spans))


def shingles(it: Print) -> set[str]:
    """Return the spans of characters by which texts are near-duplicates of each other."""
    text = " ".join(it.words)
    return {text[at : at + SHINGLE] for at in range(max(1, len(text) - SHINGLE + 1))}


def _repeats(text: str, whose: str, reason: str) -> Violation:
    return violation(f"repetition.{whose}", reason, "say something else", text=text)


def _short(text: str) -> str:
    folded = re.sub(r"\s+", " ", text)
    return folded if len(folded) <= 60 else f"{folded[:59]}…"  # noqa: PLR2004 - of a message
