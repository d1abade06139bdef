"""How well a memory answers a cue: a pure function of what is known of both, and of the moment.

The score is a weighted sum, as in Park et al., "Generative Agents" (2023), section 4.1, of
relevance, recency and importance, and of whom and when the cue names. Relevance is not a
memory's alone: the turn that answers often shares no word with the question, but the turn before
it does, so each turn of a conversation lends some of its relevance to those around it.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from puppet_engine.core.circumstances import Circumstances
from puppet_engine.core.models import StoredMemory
from puppet_engine.memory.cues import Cues, cues
from puppet_engine.storage.memories import Found

_WORD: Final = re.compile(r"[^\W_]+")
_MOST_SHORTENED: Final = 4
"""Of how many words initialisms are looked for; a sentence has too many."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """How much each signal counts; all signals are from 0 to 1."""

    dense: float = 0.5
    text: float = 0.5
    near: Mapping[int, float] = field(
        default_factory=lambda: MappingProxyType({-2: 0.15, -1: 0.45, 1: 0.15, 2: 0.05})
    )
    """How much of the relevance of the turn at a distance a memory takes over."""
    relevance: float = 1.0
    recency: float = 0.1
    importance: float = 0.1
    speaker: float = 0.2
    """When the question names who said it."""
    time: float = 0.3
    """When it was said at the time that the question names."""
    half_life: timedelta = timedelta(days=14)
    """After how long a memory has lost half of its recency."""


USUAL: Final = Weights()


def rank(
    candidates: Sequence[Found],
    cue: str,
    *,
    now: datetime,
    limit: int,
    weights: Weights = USUAL,
) -> list[StoredMemory]:
    """Return the memories that answer a cue best, best first; of equals, the newest."""
    relevance = relevances(candidates, weights)
    told = {one.place: Circumstances.of(one.memory.metadata) for one in candidates}
    speakers = {said.speaker for said in told.values() if said.speaker}
    asked = cues(cue, speakers=speakers, now=now)
    scored = [
        (
            # Rounded, so that what is equal but for the order of a sum is equal.
            round(_score(one, told[one.place], relevance[one.place], asked, now, weights), 9),
            one.place,
            one.memory,
        )
        for one in candidates
    ]
    scored.sort(key=lambda entry: entry[:2], reverse=True)
    return [memory for _, _, memory in scored[:limit]]


def _score(  # noqa: PLR0913 - the signals
    one: Found,
    told: Circumstances,
    relevance: float,
    asked: Cues,
    now: datetime,
    weights: Weights,
) -> float:
    moment = told.occurred_at or one.memory.created_at
    cue = weights.time * asked.nearness(moment)
    if told.speaker in asked.people:
        cue += weights.speaker
    return score(one.memory, relevance=relevance, now=now, weights=weights) + cue


def score(
    memory: StoredMemory, *, relevance: float, now: datetime, weights: Weights = USUAL
) -> float:
    """Return how readily a memory comes to mind; more relevant, newer, weightier is higher."""
    occurred_at = Circumstances.of(memory.metadata).occurred_at or memory.created_at
    age = max(now - occurred_at, timedelta())
    recency = math.pow(0.5, age / weights.half_life)
    return (
        weights.relevance * relevance
        + weights.recency * recency
        + weights.importance * memory.importance
    )


def relevances(candidates: Iterable[Found], weights: Weights) -> dict[int, float]:
    """Return how relevant each candidate is, by its place, from 0 to 1: the best has 1."""
    own = {
        one.place: weights.dense * one.dense + weights.text * one.text
        for one in candidates
    }
    found = dict(own)
    for one in candidates:
        for distance, place in (one.near or {}).items():
            if place in found:
                # Seen from there, this one lies the other way.
                found[place] += weights.near.get(-distance, 0.0) * own[one.place]
    best = max(found.values(), default=0.0)
    return {place: value / best if best else 0.0 for place, value in found.items()}


def words(text: str) -> list[str]:
    """Return the words of a text, folded to lower case."""
    return _WORD.findall(text.casefold())


def spelled_out(cue: str) -> str:
    """Return a cue with what its words may be abbreviated to: `artificial intelligence AI`."""
    found = words(cue)
    if len(found) > _MOST_SHORTENED:
        return cue
    return " ".join([cue, *sorted(initialisms(cue))])


def initialisms(text: str) -> frozenset[str]:
    """Return what neighbouring words are abbreviated to: `artificial intelligence` to `ai`."""
    letters = "".join(word[0] for word in words(text))
    lengths = range(2, min(len(letters), 5) + 1)
    return frozenset(
        letters[at : at + length] for length in lengths for at in range(len(letters) - length + 1)
    )
