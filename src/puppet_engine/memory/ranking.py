"""How well a memory answers a cue: a pure function of what is known of both, and of the moment.

The score is a weighted sum, as in Park et al., "Generative Agents" (2023), section 4.1, of
relevance, recency and importance, of whom and when the cue names, and of what answers are like.
Relevance is not a memory's alone: the turn that answers often shares no word with the question,
but the turn before it does, so each turn of a conversation lends some of its own to those around.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeAlias

from puppet_engine.memory.asking import asked_in
from puppet_engine.memory.cues import Cues, cues, tells_time
from puppet_engine.memory.words import Matching, words
from puppet_engine.storage.memories import Found


@dataclass(frozen=True, kw_only=True)
class Weights:
    """How much each signal counts; all signals are from 0 to 1.

    Fitted on talks of `puppets memory audit` (seeds 11 and 12, with each embedder and without),
    so that the evidence has the most of a softmax over the scores; `importance` and `when` aside,
    which these talks do not try.
    """

    text: float = 0.38
    """How well the words of a turn match, with those of the two before it."""
    dense: float = 0.17
    near: Mapping[int, float] = field(
        default_factory=lambda: MappingProxyType({-1: 0.25, 1: 0.12})
    )
    """How near the meaning of the turn at a distance is: that before it, and that after it."""
    context: int = 2
    """Of how many turns before it a turn has the words, too."""
    recency: float = 0.14
    importance: float = 0.1
    speaker: float = 0.65
    """When the question names who said it."""
    described: float = 0.09
    """When the question describes who said it: `the person who plays the cello`."""
    time: float = 1.0
    """When it was said at the time that the question names."""
    when: float = 0.5
    """When the question asks for a time, and it tells one."""
    asking: float = 0.33
    """How much less a turn counts that asks: what answers mostly tells."""
    asked: float = 0.14
    """How much more one counts that comes after such a turn."""
    telling: float = 0.14
    """How much more a long turn counts than a short one: who answers mostly says more."""
    half_life: timedelta = timedelta(days=30)
    """After how long a memory has lost half of its recency."""


USUAL: Final = Weights()

LONG: Final = 160
"""Of how many signs a turn is that says as much as turns do."""

Around: TypeAlias = Sequence[Mapping[int, int]]
"""By the number of a candidate: the numbers of those around it, by their distance."""


def rank(
    candidates: Sequence[Found],
    cue: str,
    *,
    now: datetime,
    limit: int,
    weights: Weights = USUAL,
) -> list[int]:
    """Return the places of the memories that answer a cue best, best first; of equals, newest."""
    question = asked_in(cue)
    named = cues(cue, speakers={one.speaker for one in candidates if one.speaker}, now=now)
    names = {stem for who in named.people for stem in words(who)}
    # Who is named speaks of themselves: it is the others who say the name.
    parts = [frozenset(words(part)) - names for part in question.parts]
    around = _around(candidates)
    matching = Matching((one.content for one in candidates), frozenset[str]().union(*parts))
    people, for_people = named.people, weights.speaker
    if not people and question.description is not None:
        people, for_people = _described(candidates, matching.shares(parts[-1])), weights.described
    relevant = _relevance(candidates, around, matching, parts, weights)
    asks = [one.content.rstrip().endswith("?") for one in candidates]
    scored = []
    for number, one in enumerate(candidates):
        own = score(
            relevance=relevant[number],
            age=now - one.moment,
            importance=one.importance,
            weights=weights,
        )
        if one.speaker in people:
            own += for_people
        own += _fit(one, named, weights, is_when=question.is_when)
        before = around[number].get(-1)
        if before is not None and asks[before]:
            own += weights.asked
        if asks[number]:
            own -= weights.asking
        # Rounded, so that what is equal but for how a database computes is equal.
        scored.append((round(own, 5), one.place))
    scored.sort(reverse=True)
    return [place for _, place in scored[:limit]]


def score(
    *, relevance: float, age: timedelta, importance: float, weights: Weights = USUAL
) -> float:
    """Return how readily a memory comes to mind; more relevant, newer, weightier is higher."""
    half_lives = age / weights.half_life
    recency = math.pow(0.5, half_lives) if half_lives > 0 else 1.0
    return relevance + weights.recency * recency + weights.importance * importance


def relevances(
    candidates: Sequence[Found], parts: Sequence[Collection[str]], weights: Weights = USUAL
) -> list[float]:
    """Return how relevant each candidate is to the words, without endings, of each part."""
    wanted = {word for part in parts for word in part}
    matching = Matching((one.content for one in candidates), wanted)
    return _relevance(candidates, _around(candidates), matching, parts, weights)


def _relevance(
    candidates: Sequence[Found],
    around: Around,
    matching: Matching,
    parts: Sequence[Collection[str]],
    weights: Weights,
) -> list[float]:
    after = range(1, weights.context + 1)
    lent = {
        number: [turns[distance] for distance in after if distance in turns]
        for number, turns in enumerate(around)
        if turns
    }
    shares = [matching.shares(part, lent) for part in parts]
    best = shares[0] if len(shares) == 1 else map(max, *shares)
    relevant = []
    for one, share, turns in zip(candidates, best, around, strict=True):
        own = weights.text * share + weights.dense * one.dense
        if turns:
            for distance, weight in weights.near.items():
                if distance in turns:
                    own += weight * candidates[turns[distance]].dense
        relevant.append(own)
    return relevant


def _around(candidates: Sequence[Found]) -> list[dict[int, int]]:
    """Return which candidates stand near which in a talk, seen from either."""
    numbers = {one.place: number for number, one in enumerate(candidates)}
    found: list[dict[int, int]] = [{} for _ in candidates]
    for number, one in enumerate(candidates):
        for distance, place in one.near.items():
            other = numbers.get(place) if place is not None else None
            if other is not None:
                found[number][distance] = other
                found[other][-distance] = number
    return found


def _described(candidates: Sequence[Found], shares: Sequence[float]) -> frozenset[str]:
    """Return who said what matches a description best."""
    numbers = [
        number for number, one in enumerate(candidates) if one.speaker and shares[number] > 0
    ]
    best = max(numbers, key=lambda number: (shares[number], candidates[number].place), default=-1)
    speaker = candidates[best].speaker if best >= 0 else None
    return frozenset() if speaker is None else frozenset({speaker})


def _fit(one: Found, named: Cues, weights: Weights, *, is_when: bool) -> float:
    """Return what a memory gains by its time, by its length, and by telling of a time."""
    gained = weights.telling * min(len(one.content) / LONG, 1.0)
    if named.spans:
        gained += weights.time * named.nearness(one.moment)
    if is_when and tells_time(one.content):
        gained += weights.when
    return gained
