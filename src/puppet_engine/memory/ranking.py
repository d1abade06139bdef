"""How well a memory answers a cue: a pure function of what is known of both, and of the moment.

The score is a weighted sum, as in Park et al., "Generative Agents" (2023), section 4.1, of
relevance, recency and importance, and of whom and when the cue names. Relevance is not a
memory's alone: the turn that answers often shares no word with the question, but the turn before
it does, so each turn of a conversation lends some of its relevance to those around it.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from puppet_engine.memory.cues import cues
from puppet_engine.memory.words import matches
from puppet_engine.storage.memories import Found


@dataclass(frozen=True, kw_only=True)
class Weights:
    """How much each signal counts; all signals are from 0 to 1."""

    dense: float = 0.5
    text: float = 0.5
    near: Mapping[int, float] = field(
        default_factory=lambda: MappingProxyType({-2: 0.4, -1: 0.7, 1: 0.3, 2: 0.15})
    )
    """How much of the relevance of the turn at a distance a memory takes over."""
    talk: float = 0.1
    """How much of the relevance of the best of its talk it takes over, wherever that stands."""
    asking: float = 0.2
    """How much less a turn counts that asks: what answers mostly tells."""
    telling: float = 0.05
    """How much more a long turn counts than a short one: who answers mostly says more."""
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

LONG: Final = 160
"""Of how many signs a turn is that says as much as turns do."""

_ADDRESSED: Final = 0.5
"""How much of a person's cue what was said in their talk has."""


def with_words(candidates: Sequence[Found], query: str) -> list[Found]:
    """Return memories with how well the words of each match, among them."""
    shares = matches((one.content for one in candidates), query)
    return [one._replace(text=share) for one, share in zip(candidates, shares, strict=True)]


def rank(
    candidates: Sequence[Found],
    cue: str,
    *,
    now: datetime,
    limit: int,
    weights: Weights = USUAL,
) -> list[int]:
    """Return the places of the memories that answer a cue best, best first; of equals, newest."""
    relevance = relevances(candidates, weights)
    speakers = {one.speaker for one in candidates if one.speaker}
    asked = cues(cue, speakers=speakers, now=now)
    people = _people(candidates, asked.people)
    if not asked.people:
        meant = _people(candidates, _meant(candidates, relevance))
        people = {place: 0.5 * share for place, share in meant.items()}
    scored = []
    for one in candidates:
        named = weights.time * asked.nearness(one.moment) + weights.speaker * people[one.place]
        own = score(
            relevance=relevance[one.place],
            age=now - one.moment,
            importance=one.importance,
            weights=weights,
        )
        own += weights.telling * min(len(one.content) / LONG, 1.0)
        own -= weights.asking * one.content.rstrip().endswith("?")
        # Rounded, so that what is equal but for how a database computes is equal.
        scored.append((round(own + named, 5), one.place))
    scored.sort(reverse=True)
    return [place for _, place in scored[:limit]]


def _people(candidates: Sequence[Found], people: Collection[str]) -> dict[int, float]:
    """Return 1 for what was said by one of some people, a part of it for what was said to them."""
    found = {one.place: float(one.speaker in people) for one in candidates}
    if not people:
        return found
    for one in candidates:
        for place in one.near.values():
            if place in found:
                for here, there in ((one.place, place), (place, one.place)):
                    if found[there] == 1:
                        found[here] = max(found[here], _ADDRESSED)
    return found


def _meant(candidates: Sequence[Found], relevance: Mapping[int, float]) -> frozenset[str]:
    """Return whom a question is about that names nobody: who said what answers it best."""
    said = [one for one in candidates if one.text + one.dense > 0 and one.speaker]
    best = max(said, key=lambda one: (relevance[one.place], one.place), default=None)
    speaker = None if best is None else best.speaker
    return frozenset() if speaker is None else frozenset({speaker})


def score(
    *, relevance: float, age: timedelta, importance: float, weights: Weights = USUAL
) -> float:
    """Return how readily a memory comes to mind; more relevant, newer, weightier is higher."""
    recency = math.pow(0.5, max(age, timedelta()) / weights.half_life)
    return (
        weights.relevance * relevance + weights.recency * recency + weights.importance * importance
    )


def relevances(candidates: Sequence[Found], weights: Weights) -> dict[int, float]:
    """Return how relevant each candidate is, by its place, from 0 to 1: the best has 1."""
    own = {one.place: weights.dense * one.dense + weights.text * one.text for one in candidates}
    found = dict(own)
    for one in candidates:
        for distance, place in one.near.items():
            if place in found:
                # Seen from there, this one lies the other way.
                found[place] += weights.near.get(-distance, 0.0) * own[one.place]
    if weights.talk:
        talks: dict[str | None, float] = {}
        for one in candidates:
            talks[one.conversation] = max(talks.get(one.conversation, 0.0), found[one.place])
        talks[None] = 0.0
        found = {
            one.place: found[one.place] + weights.talk * talks[one.conversation]
            for one in candidates
        }
    best = max(found.values(), default=0.0)
    return {place: value / best if best else 0.0 for place, value in found.items()}
