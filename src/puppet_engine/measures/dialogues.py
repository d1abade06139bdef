"""Talks with known evidence: what people told an agent, and what it can be asked of it."""

import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import Field

from puppet_engine.core.models import Memory, MemoryType, Noun

STORIES: Final = Path(__file__).with_name("stories.toml")
BEGIN: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAYS: Final = 90
"""How long people tell things; after as long again, some have changed."""
ASKED_AT: Final = BEGIN + timedelta(days=2 * DAYS + 10)

_CHANGED_SHARE: Final = 0.4
_HEARSAY_SHARE: Final = 0.4
_MOST_SMALL_TALK: Final = 3


class Topic(Noun):
    """What people tell of, each with a value of their own."""

    name: str
    values: tuple[str, ...]
    opening: str
    probe: str
    answer: str
    changed: str
    question: str
    clue: str


class Stories(Noun):
    """What stands in the file."""

    people: tuple[str, ...]
    small_talk: tuple[str, ...]
    hearsay: str
    untold: tuple[str, ...]
    strangers: tuple[str, ...]
    probe_again: str
    topic: tuple[Topic, ...] = Field(min_length=2)


class Kind(StrEnum):
    """What makes a question hard."""

    SINGLE_HOP = "single-hop"
    MULTI_HOP = "multi-hop"
    """The person is not named: who it is stands in another talk."""
    TEMPORAL = "temporal"
    """Only a day says what is meant."""
    ADVERSARIAL = "adversarial"
    """Somebody else said something wrong about it, in the words of the question."""
    KNOWLEDGE_UPDATE = "knowledge-update"
    """It has changed since it was told first."""
    OPEN_DOMAIN = "open-domain"
    """What was told does not say it, but lets one conclude it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that was said."""

    number: int
    memory: Memory
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """Something to be asked, and which turns hold the answer."""

    text: str
    kind: Kind
    evidence: frozenset[int]


@dataclass(frozen=True, slots=True)
class Talks:
    """All that was said, in its order, and what can be asked of it."""

    turns: tuple[Turn, ...]
    questions: tuple[Question, ...]
    people: tuple[str, ...]


@dataclass(slots=True)
class _Fact:
    """What one person told on one topic; the numbers of the turns are known when all are told."""

    person: str
    topic: Topic
    value: str
    told_at: datetime
    opening: int = -1
    evidence: int = -1
    changed: str = ""
    hearsay: bool = False

    @property
    def current(self) -> str:
        return self.changed or self.value


def talks(*, seed: int = 7, people: int | None = None, topics: int | None = None) -> Talks:
    """Return the talks of a seed: those of all people on all topics, or of the first few."""
    stories = read_stories()
    chance = random.Random(f"talks:{seed}")  # noqa: S311 - to be repeated, not to be secret
    teller = _Teller(stories, chance)
    facts = teller.facts(stories.people[:people], stories.topic[:topics])
    turns = teller.tell(facts)
    return Talks(turns, tuple(_questions(facts, chance)), stories.people[:people])


def read_stories() -> Stories:
    """Return what stands in the file."""
    return Stories.model_validate(tomllib.loads(STORIES.read_text(encoding="utf-8")))


class _Teller:
    """Lets people talk."""

    def __init__(self, stories: Stories, chance: random.Random) -> None:
        self._stories = stories
        self._chance = chance
        self._said: list[tuple[datetime, int, str, str, str, _Fact | None, str]] = []

    def facts(self, people: Sequence[str], topics: Sequence[Topic]) -> list[_Fact]:
        # No day has two talks of one person, so that a day tells which is meant.
        days = {person: self._chance.sample(range(DAYS), len(topics)) for person in people}
        found = []
        for number, topic in enumerate(topics):
            values = self._chance.sample(topic.values, len(topic.values))
            for person, value in zip(people, values, strict=False):
                hour = timedelta(minutes=self._chance.randrange(600))
                day = timedelta(days=days[person][number])
                found.append(_Fact(person, topic, value, BEGIN + day + hour))
            spare = values[len(people) :]
            mine = found[-len(people) :]
            for fact, other in zip(
                self._chance.sample(mine, min(len(mine), len(spare))), spare, strict=False
            ):
                if self._chance.random() < _CHANGED_SHARE * len(people) / len(spare):
                    fact.changed = other
        for fact in found:
            fact.hearsay = self._chance.random() < _HEARSAY_SHARE
        return found

    def tell(self, facts: Sequence[_Fact]) -> tuple[Turn, ...]:
        for fact in facts:
            self._talk(fact)
            if fact.changed:
                self._change(fact)
            if fact.hearsay:
                self._rumour(fact, facts)
        self._said.sort(key=lambda said: said[:2])
        return tuple(self._turns())

    def _turns(self) -> Iterator[Turn]:
        for number, (at, _, talk, speaker, text, fact, role) in enumerate(self._said):
            if fact is not None and role == "opening":
                fact.opening = number
            elif fact is not None:
                fact.evidence = number
            whom = talk.partition("-")[0]
            told = (
                f"I answered @{whom}: {text}"
                if speaker == "me"
                else f"@{speaker} said to me: {text}"
            )
            memory = Memory(
                content=told,
                type=MemoryType.INTERACTION,
                metadata={
                    "conversation_id": talk,
                    "speaker": speaker,
                    "occurred_at": at.isoformat(),
                    "source": "self" if speaker == "me" else "network",
                },
            )
            yield Turn(number, memory, at)

    def _talk(self, fact: _Fact) -> None:
        who, topic = fact.person.lower(), fact.topic
        lines = [
            *self._small_talk(who),
            (who, topic.opening, fact, "opening"),
            ("me", topic.probe, None, ""),
            # What has changed since is no evidence any more.
            (who, topic.answer.format(value=fact.value), None if fact.changed else fact, "answer"),
            *self._small_talk(who),
        ]
        self._say(f"{who}-{topic.name}", fact.told_at, lines)

    def _change(self, fact: _Fact) -> None:
        who = fact.person.lower()
        told = fact.topic.changed.format(value=fact.changed)
        asked = self._stories.probe_again.format(topic=fact.topic.name)
        lines = [
            *self._small_talk(who),
            ("me", asked, None, ""),
            (who, told, fact, "answer"),
            *self._small_talk(who),
        ]
        at = fact.told_at + timedelta(days=DAYS)
        self._say(f"{who}-{fact.topic.name}-again", at, lines)

    def _rumour(self, fact: _Fact, facts: Sequence[_Fact]) -> None:
        others = sorted({one.person for one in facts} - {fact.person})
        wrong = [one for one in fact.topic.values if one not in (fact.value, fact.changed)]
        if not others:
            return
        who = self._chance.choice(others).lower()
        clue = fact.topic.clue.format(value=self._chance.choice(wrong))
        told = self._stories.hearsay.format(who=fact.person, clue_wrong=clue)
        lines = [*self._small_talk(who), (who, told, None, ""), *self._small_talk(who)]
        at = fact.told_at + timedelta(days=self._chance.randrange(1, DAYS))
        self._say(f"{who}-about-{fact.person.lower()}-{fact.topic.name}", at, lines)

    def _small_talk(self, who: str) -> list[tuple[str, str, _Fact | None, str]]:
        count = self._chance.randrange(_MOST_SMALL_TALK)
        said = self._chance.sample(self._stories.small_talk, count)
        return [(self._chance.choice((who, "me")), text, None, "") for text in said]

    def _say(
        self, talk: str, at: datetime, lines: Sequence[tuple[str, str, _Fact | None, str]]
    ) -> None:
        for place, (speaker, text, fact, role) in enumerate(lines):
            moment = at + timedelta(minutes=2 * place)
            self._said.append((moment, len(self._said), talk, speaker, text, fact, role))


def _questions(facts: Sequence[_Fact], chance: random.Random) -> Iterator[Question]:
    for fact in facts:
        asked = fact.topic.question.format(who=fact.person)
        evidence = frozenset({fact.evidence})
        if fact.changed:
            yield Question(f"{asked[:-1]} now?", Kind.KNOWLEDGE_UPDATE, evidence)
        else:
            yield Question(asked, Kind.ADVERSARIAL if fact.hearsay else Kind.SINGLE_HOP, evidence)
    for fact in facts:
        other = chance.choice(
            [one for one in facts if one.person == fact.person and one is not fact]
        )
        clue = other.topic.clue.format(value=other.current)
        asked = fact.topic.question.format(who=f"the person who {clue}")
        yield Question(asked, Kind.MULTI_HOP, frozenset({fact.evidence, other.evidence}))
    for fact in facts:
        told = fact.told_at
        asked = f"What news did {fact.person} have on {told.day} {told:%B}?"
        yield Question(asked, Kind.TEMPORAL, frozenset({fact.opening}))
