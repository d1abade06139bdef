"""Not saying again what was said lately."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

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
    remembered = [_gist(post) for post in recent]
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
    remembered = [_gist(post) for post in recent]
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


class _Gist(NamedTuple):
    """What a text is compared by."""

    opening: tuple[str, ...]
    spans: frozenset[tuple[str, ...]]


def _staleness(draft: str, remembered: Sequence[_Gist]) -> float:
    mine = _gist(draft)
    return max((_likeness(mine, old) for old in remembered), default=0.0)


def _likeness(mine: _Gist, old: _Gist) -> float:
    """Return the part of the shorter text that is in both; beginning alike counts as all of it."""
    shared = len(mine.spans & old.spans) / max(1, min(len(mine.spans), len(old.spans)))
    return shared + (mine.opening == old.opening)


@lru_cache(maxsize=8192)
def _gist(text: str) -> _Gist:
    """Return the words of a post, without the handle it is addressed to, as they are compared."""
    words = re.findall(r"[\w']+", re.sub(r"^@\S+ ", "", text).lower())
    spans = (tuple(words[at : at + _SPAN]) for at in range(len(words) - _SPAN + 1))
    return _Gist(tuple(words[:_OPENING]), frozenset(spans))
