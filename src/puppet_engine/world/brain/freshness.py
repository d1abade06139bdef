"""Not saying again what was said lately."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from puppet_engine.style.sentiment import valence_of

_OPENING: Final = 3
"""So many words make an opening, which is not used again while it is remembered."""
_SPAN: Final = 3
_NEAR: Final = 0.3
"""How far a text may be from a valence and still sound like it."""


def freshest(drafts: Iterable[str], recent: Sequence[str]) -> str:
    """Return the first draft that is nothing like what was written lately, else the least like it.

    No more drafts are taken than needed. Without any the answer is empty.
    """
    remembered = [_words(post) for post in recent]
    best, staleness = "", float("inf")
    for draft in drafts:
        worst = _staleness(draft, remembered)
        if worst < staleness:
            best, staleness = draft, worst
        if not worst:
            break
    return best


def in_tone(drafts: Iterable[str], recent: Sequence[str], *, valence: float, among: int) -> str:
    """Return the fresh draft whose words come near to a valence, of `among` drafts at the most.

    No more are taken than needed. None that is like what was written lately is chosen for its
    tone; when all are, the least like it is.
    """
    remembered = [_words(post) for post in recent]
    taken: list[str] = []
    best, distance = "", float("inf")
    for draft in drafts:
        taken.append(draft)
        if not _staleness(draft, remembered):
            off = abs(valence_of(draft) - valence)
            if off < distance:
                best, distance = draft, off
        if best and (distance <= _NEAR or len(taken) >= among):
            break
    return best or freshest(taken, recent)


def _staleness(draft: str, remembered: Sequence[Sequence[str]]) -> float:
    words = _words(draft)
    return max((_likeness(words, old) for old in remembered), default=0.0)


def _likeness(words: Sequence[str], old: Sequence[str]) -> float:
    """Return the part of the shorter text that is in both; beginning alike counts as all of it."""
    mine, theirs = _spans(words), _spans(old)
    shared = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
    return shared + (words[:_OPENING] == old[:_OPENING])


def _words(text: str) -> list[str]:
    """Return the words of a post, without the handle it is addressed to."""
    return re.findall(r"[\w']+", re.sub(r"^@\S+ ", "", text).lower())


def _spans(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + _SPAN]) for at in range(len(words) - _SPAN + 1)}
