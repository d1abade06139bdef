"""What an agent comes to believe of those who speak to it, out of what they said. Pure.

No language model is asked: what somebody comes back to in several talks is what they care about.
Each belief cites the memories that made it, so that it can be questioned, and goes by their trust.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from puppet_engine.core.circumstances import Circumstances
from puppet_engine.core.models import Memory, MemoryType, StoredMemory
from puppet_engine.core.provenance import LinkKind, MemoryLink, trust_of
from puppet_engine.memory.words import telling_words, words
from puppet_engine.style.anatomy import prose

OFTEN: Final = 3
"""How often somebody must have come back to a theme."""

_THEMES: Final = 3
_MOST_CITED: Final = 12
_IMPORTANCE: Final = 0.6


def beliefs(
    lately: Sequence[StoredMemory], *, known: Collection[str], now: datetime
) -> list[Memory]:
    """Return what follows from what was said lately, of each who said enough.

    `known` are the words of what the agent believes already: that does not come again.
    """
    said: defaultdict[str, list[StoredMemory]] = defaultdict(list)
    for one in lately:
        speaker = Circumstances.of(one.metadata).speaker
        if speaker is not None and trust_of(one.metadata).is_hearsay:
            said[speaker].append(one)
    found = (_belief(speaker, some, now) for speaker, some in sorted(said.items()))
    return [one for one in found if one is not None and one.content not in known]


def _belief(speaker: str, said: Sequence[StoredMemory], now: datetime) -> Memory | None:
    """Return what somebody cares about; None when they have not said so."""
    having: defaultdict[str, set[str]] = defaultdict(set)
    spelled: dict[str, str] = {}
    for one in said:
        for word in telling_words(_words_of(one)):
            (stem,) = words(word) or (word,)
            if stem not in words(speaker):
                having[stem].add(one.id)
                spelled.setdefault(stem, word)
    often = sorted(
        (stem for stem, ids in having.items() if len(ids) >= OFTEN),
        key=lambda stem: (-len(having[stem]), stem),
    )[:_THEMES]
    if not often:
        return None
    cited = sorted({one for stem in often for one in having[stem]})[:_MOST_CITED]
    themes = [spelled[stem] for stem in often]
    told = themes[0] if len(themes) == 1 else f"{', '.join(themes[:-1])} and {themes[-1]}"
    return Memory(
        content=f"@{speaker} keeps coming back to {told}.",
        type=MemoryType.RELATIONSHIP,
        importance=_IMPORTANCE,
        metadata={"source": "derived", "handle": speaker, "occurred_at": now.isoformat()},
        links=tuple(MemoryLink(kind=LinkKind.CITES, to=one) for one in cited),
    )


def _words_of(memory: StoredMemory) -> str:
    """Return what was said, without whom it was said to: nobody's theme is a handle."""
    return prose(memory.content.partition(": ")[2] or memory.content)
