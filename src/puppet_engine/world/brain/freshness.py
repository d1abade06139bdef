"""Not saying again what was said lately."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from sys import intern
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
    lately = _Lately(recent)
    best, staleness = "", float("inf")
    for draft in drafts:
        worst = lately.staleness(draft)
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
    lately = _Lately(recent)
    taken: list[str] = []
    best, distance = "", float("inf")
    for draft in drafts:
        taken.append(draft)
        if not lately.staleness(draft):
            off = abs(valence_of(draft) - valence)
            if off < distance:
                best, distance = draft, off
        if best and (distance <= _NEAR or len(taken) >= among):
            break
    return best or min(taken, key=lately.staleness, default="")


Words = tuple[str, ...]
Spans = frozenset[int]
"""The hashes of spans of words, by which this process knows them: they are kept for long."""


class _Lately:
    """What was written lately, as drafts are compared with it."""

    def __init__(self, recent: Sequence[str]) -> None:
        self._recent = [_read(post) for post in recent]
        self._openings = {words[:_OPENING] for words, _ in self._recent}
        self._spans = Spans().union(*(spans for _, spans in self._recent))

    def staleness(self, draft: str) -> float:
        """Return how like a draft is to the one that it is most like.

        That is the part of the shorter text that is in both; to begin alike counts as all of it.
        """
        words, spans = _taken_apart(draft)
        # Most drafts share nothing with anything: no need to look at each.
        if words[:_OPENING] not in self._openings and spans.isdisjoint(self._spans):
            return 0.0
        return max(
            len(spans & old_spans) / max(1, min(len(spans), len(old_spans)))
            + (words[:_OPENING] == old[:_OPENING])
            for old, old_spans in self._recent
        )


def _taken_apart(text: str) -> tuple[Words, Spans]:
    """Return the words of a post, without the handle it is addressed to, and their spans."""
    found = re.findall(r"[\w']+", re.sub(r"^@\S+ ", "", text).lower())
    words = tuple(intern(word) for word in found)
    return words, Spans(hash(words[at : at + _SPAN]) for at in range(len(words) - _SPAN + 1))


_read = lru_cache(maxsize=1024)(_taken_apart)
"""The same for what was written: it is looked at again and again."""
