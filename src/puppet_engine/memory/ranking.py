"""How well a memory answers a cue: a pure function of both and of the moment.

The score is the weighted sum of relevance, recency and importance, as in
Park et al., "Generative Agents" (2023), section 4.1; relevance is word overlap weighted by rarity.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from puppet_engine.core.models import StoredMemory

RELEVANCE: Final = 3.0
RECENCY: Final = 1.0
IMPORTANCE: Final = 1.0

HALF_LIFE_HOURS: Final = 72.0
"""After how long a memory has lost half of its recency."""

_WORD: Final = re.compile(r"[^\W_]+")


def rank(
    memories: Sequence[StoredMemory], cue: str, *, now: datetime, limit: int
) -> list[StoredMemory]:
    """Return the memories that answer a cue best, best first; of equals, the first given."""
    texts = [frozenset(words(memory.content)) for memory in memories]
    rarity = _rarity(texts)
    wanted = frozenset(words(cue)) | initialisms(cue)
    scored = [
        (score(memory, relevance=_relevance(text, wanted, rarity), now=now), -place, memory)
        for place, (memory, text) in enumerate(zip(memories, texts, strict=True))
    ]
    scored.sort(key=lambda entry: entry[:2], reverse=True)
    return [memory for _, _, memory in scored[:limit]]


def score(memory: StoredMemory, *, relevance: float, now: datetime) -> float:
    """Return how readily a memory comes to mind; more relevant, newer, weightier is higher."""
    hours = max((now - memory.created_at).total_seconds() / 3600, 0)
    recency = math.pow(0.5, hours / HALF_LIFE_HOURS)
    return RELEVANCE * relevance + RECENCY * recency + IMPORTANCE * memory.importance


def words(text: str) -> list[str]:
    """Return the words of a text, folded to lower case, plurals to singulars."""
    return [_singular(word) for word in _WORD.findall(text.casefold())]


def initialisms(text: str) -> frozenset[str]:
    """Return what neighbouring words are abbreviated to: `artificial intelligence` to `ai`."""
    found = _WORD.findall(text.casefold())
    letters = "".join(word[0] for word in found)
    lengths = range(2, min(len(letters), 5) + 1)
    return frozenset(
        letters[at : at + length] for length in lengths for at in range(len(letters) - length + 1)
    )


def _singular(word: str) -> str:
    long_enough = len(word) > 3  # noqa: PLR2004 - "gas", "bus"
    return word[:-1] if long_enough and word[-1] == "s" and word[-2] != "s" else word


def _rarity(texts: Sequence[frozenset[str]]) -> dict[str, float]:
    counts = Counter(word for text in texts for word in text)
    return {word: math.log(1 + len(texts) / count) for word, count in counts.items()}


def _relevance(text: frozenset[str], wanted: frozenset[str], rarity: dict[str, float]) -> float:
    """Return the share, 0 to 1, of the cue's known weight that the text holds."""
    # Exact sums: those of floats depend on the order, and that of a set on the process.
    known = math.fsum(rarity[word] for word in wanted if word in rarity)
    return math.fsum(rarity[word] for word in wanted & text) / known if known else 0.0
