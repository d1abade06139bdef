"""How well a memory answers a cue: a pure function of what is known of both, and of the moment.

The score is a weighted sum, as in Park et al., "Generative Agents" (2023), section 4.1, of
relevance, recency and importance, and of whom and when the cue names. Relevance is not a
memory's alone: the turn that answers often shares no word with the question, but the turn before
it does, so each turn of a conversation lends some of its relevance to those around it.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from puppet_engine.core.circumstances import Circumstances
from puppet_engine.core.models import StoredMemory
from puppet_engine.memory.cues import cues
from puppet_engine.memory.words import matches
from puppet_engine.storage.memories import Found


@dataclass(frozen=True, kw_only=True)
class Weights:
    """How much each signal counts; all signals are from 0 to 1."""

    dense: float = 0.5
    text: float = 0.5
    near: Mapping[int, float] = field(
        default_factory=lambda: MappingProxyType({-2: 0.6, -1: 0.9, 1: 0.2, 2: 0.1})
    )
    """How much of the relevance of the turn at a distance a memory takes over."""
    relevance: float = 1.0
    recency: float = 0.2
    importance: float = 0.1
    speaker: float = 0.8
    """When the question names who said it."""
    time: float = 0.7
    """When it was said at the time that the question names."""
    half_life: timedelta = timedelta(days=30)
    """After how long a memory has lost half of its recency."""


USUAL: Final = Weights()

_ADDRESSED: Final = 0.5
"""How much of a person's cue what was said in their talk has."""


def with_words(candidates: Sequence[Found], query: str) -> list[Found]:
    """Return memories with how well the words of each match, among them."""
    shares = matches((one.memory.content for one in candidates), query)
    return [replace(one, text=share) for one, share in zip(candidates, shares, strict=True)]


def rank(
    candidates: Sequence[Found],
    cue: str,
    *,
    now: datetime,
    limit: int,
    weights: Weights = USUAL,
) -> list[StoredMemory]:
    """Return the memories that answer a cue best, best first; of equals, the newest."""
    told = {one.place: Circumstances.of(one.memory.metadata) for one in candidates}
    relevance = relevances(candidates, weights)
    speakers = {said.speaker for said in told.values() if said.speaker}
    asked = cues(cue, speakers=speakers, now=now)
    people = _people(candidates, told, asked.people)
    if not asked.people:
        meant = _meant(candidates, told, relevance)
        people = {place: 0.5 * share for place, share in _people(candidates, told, meant).items()}
    scored = []
    for one in candidates:
        moment = told[one.place].occurred_at or one.memory.created_at
        cue_score = weights.time * asked.nearness(moment) + weights.speaker * people[one.place]
        own = score(
            relevance=relevance[one.place],
            age=now - moment,
            importance=one.memory.importance,
            weights=weights,
        )
        # Rounded, so that what is equal but for how a database computes is equal.
        scored.append((round(own + cue_score, 5), one.place, one.memory))
    scored.sort(key=lambda entry: entry[:2], reverse=True)
    return [memory for _, _, memory in scored[:limit]]


def _people(
    candidates: Sequence[Found], told: Mapping[int, Circumstances], people: Collection[str]
) -> dict[int, float]:
    """Return 1 for what was said by one of some people, a part of it for what was said to them."""
    found = {place: float(said.speaker in people) for place, said in told.items()}
    for one in candidates:
        for place in (one.near or {}).values():
            if place in found and told[one.place].speaker in people:
                found[place] = max(found[place], _ADDRESSED)
    return found


def _meant(
    candidates: Sequence[Found],
    told: Mapping[int, Circumstances],
    relevance: Mapping[int, float],
) -> frozenset[str]:
    """Return whom a question is about that names nobody: who said what answers it best."""
    said = [one for one in candidates if one.text + one.dense > 0 and told[one.place].speaker]
    best = max(said, key=lambda one: (relevance[one.place], one.place), default=None)
    speaker = None if best is None else told[best.place].speaker
    return frozenset() if speaker is None else frozenset({speaker})


def score(
    *, relevance: float, age: timedelta, importance: float, weights: Weights = USUAL
) -> float:
    """Return how readily a memory comes to mind; more relevant, newer, weightier is higher."""
    recency = math.pow(0.5, max(age, timedelta()) / weights.half_life)
    return (
        weights.relevance * relevance + weights.recency * recency + weights.importance * importance
    )


def relevances(candidates: Iterable[Found], weights: Weights) -> dict[int, float]:
    """Return how relevant each candidate is, by its place, from 0 to 1: the best has 1."""
    own = {one.place: weights.dense * one.dense + weights.text * one.text for one in candidates}
    found = dict(own)
    for one in candidates:
        for distance, place in (one.near or {}).items():
            if place in found:
                # Seen from there, this one lies the other way.
                found[place] += weights.near.get(-distance, 0.0) * own[one.place]
    best = max(found.values(), default=0.0)
    return {place: value / best if best else 0.0 for place, value in found.items()}
