"""What an agent lets go when it remembers too much, and what stays of that. Pure.

The worth of a memory is its importance, how fresh it is, and how often it came to mind, as long
as that is not long ago: as in Park et al., "Generative Agents" (2023), 4.1, with the base-level
activation of ACT-R (Anderson & Schooler, "Reflections of the environment in memory", 1991) in
place of the last access alone.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from puppet_engine.core.ids import MemoryId
from puppet_engine.core.models import Memory, MemoryType
from puppet_engine.core.provenance import Trust
from puppet_engine.core.remembrance import Remembrance
from puppet_engine.memory.words import telling_words

HALF_LIFE: Final = timedelta(days=90)
"""After how long half of what a memory is worth for being fresh, or used, is lost."""

SLACK: Final = 0.1
"""How much of the room is made at once, so that it need not be made every day."""

_IMPORTANCE: Final = 2.0
"""What matters outlasts what is merely fresh."""
_USE: Final = 0.3
_THEMES: Final = 5
_FEW: Final = 3
"""Of fewer that are let go, nothing is told."""


@dataclass(frozen=True, kw_only=True)
class LettingGo:
    """What is to be forgotten, and what is to be remembered in its place."""

    ids: tuple[MemoryId, ...] = ()
    digests: tuple[Memory, ...] = ()


def letting_go(memories: Sequence[Remembrance], *, room: int, now: datetime) -> LettingGo:
    """Return what must go so that an agent remembers no more than there is room for.

    The memories that are worth least; never what the operator has given, nor core memories.
    """
    if len(memories) <= room:
        return LettingGo()
    may_go = [one for one in memories if not _stays(one)]
    excess = len(memories) - math.floor(room * (1 - SLACK))
    # Of equals the older one goes.
    least = sorted(may_go, key=lambda one: (worth(one, now=now), one.moment, one.id))[:excess]
    digests = tuple(_digests(least, now))
    return LettingGo(ids=tuple(MemoryId(one.id) for one in least), digests=digests)


def worth(one: Remembrance, *, now: datetime) -> float:
    """Return what a memory is worth: more for one that is important, fresh, or often used."""
    used = _USE * math.log1p(one.uses) * _freshness(one.used_at or one.moment, now)
    return _IMPORTANCE * one.importance + _freshness(one.moment, now) + used


def _freshness(moment: datetime, now: datetime) -> float:
    return math.pow(0.5, max(now - moment, timedelta()) / HALF_LIFE)


def _stays(one: Remembrance) -> bool:
    return one.type == MemoryType.CORE or one.trust is Trust.OPERATOR


def _digests(gone: Iterable[Remembrance], now: datetime) -> list[Memory]:
    """Return what is told of those that go: of each person and month, how much and of what."""
    groups: defaultdict[tuple[str, str], list[Remembrance]] = defaultdict(list)
    for one in gone:
        if one.speaker is not None and one.trust is not Trust.DERIVED:
            groups[one.speaker, f"{one.moment:%Y-%m}"].append(one)
    return [
        _digest(speaker, some, now)
        for (speaker, _), some in sorted(groups.items())
        if len(some) >= _FEW
    ]


def _digest(speaker: str, gone: Sequence[Remembrance], now: datetime) -> Memory:
    last = max(one.moment for one in gone)
    themes = Counter(word for one in gone for word in set(telling_words(one.content)))
    most = sorted(themes, key=lambda word: (-themes[word], word))
    about = ", ".join([word for word in most if word != speaker][:_THEMES])
    return Memory(
        content=f"In {last:%B %Y} @{speaker} and I spoke of {about}; "
        f"I have let go of {len(gone)} things that were said.",
        type=MemoryType.GENERAL,
        importance=max(one.importance for one in gone),
        metadata={
            "source": "derived",
            "speaker": speaker,
            "occurred_at": min(last, now).isoformat(),
            "let_go": len(gone),
        },
    )
