"""Two friends who talk for a year: the second set of talks with known evidence.

Made in another way than `dialogues.py`, of other stories: what is chosen by the one is tried on
the other. Both friends live through the same families of things, each in a way of their own, so
every question has a near miss in what the other said. Sessions are some two weeks apart.
"""

import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import Field

from puppet_engine.core.models import Memory, MemoryType, Noun
from puppet_engine.measures.dialogues import Kind, Question, Talks, Turn

FRIENDSHIPS: Final = Path(__file__).with_name("friendships.toml")
BEGIN: Final = datetime(2025, 1, 11, 18, tzinfo=UTC)
SESSIONS: Final = 26
APART: Final = timedelta(days=14)
ASKED_AT: Final = BEGIN + (SESSIONS + 1) * APART

_MOST_CHATTER: Final = 3
_LINE: Final = re.compile(r"(?P<role>[AB])(?:\((?P<mark>\w+)\))?: (?P<text>.+)")


class Asked(Noun):
    """A question that can be asked of either friend."""

    kind: Kind
    text: str
    evidence: tuple[str, ...] = Field(min_length=1)


class Variant(Noun):
    """How one of the friends lives through it."""

    values: dict[str, tuple[str, ...]]
    """What is told, another one in each pair; each also stands in for its name in questions."""
    terms: dict[str, str]
    """What questions call it."""
    beats: tuple[tuple[str, ...], ...] = Field(min_length=2)
    """What is told in one session each, in their order."""
    wrong: str
    """What cannot be asked of the other friend, who has told nothing of the kind."""


class Family(Noun):
    """Something that both friends live through."""

    name: str
    questions: tuple[Asked, ...]
    variant: tuple[Variant, Variant]


class Friendships(Noun):
    """What stands in the file."""

    pairs: tuple[tuple[str, str], ...]
    chatter: tuple[tuple[str, ...], ...]
    family: tuple[Family, ...] = Field(min_length=2)


@dataclass(frozen=True, slots=True)
class Friendship:
    """What two friends said, what can be asked of it, and what cannot."""

    said: Talks
    unanswerable: tuple[str, ...]
    """Of the wrong one of the two."""


@dataclass(frozen=True, slots=True)
class _Line:
    speaker: str
    text: str
    mark: tuple[str, str, str] | None
    """Whose story it is, of which family, and how questions name the turn."""


def friendships(*, seed: int = 7, pairs: int | None = None) -> tuple[Friendship, ...]:
    """Return what all pairs of friends said, or the first few: of a seed always the same."""
    stories = read_friendships()
    return tuple(
        _friendship(stories, number, random.Random(f"friends:{seed}:{number}"))  # noqa: S311 - to be repeated, not to be secret
        for number in range(len(stories.pairs[:pairs]))
    )


def read_friendships() -> Friendships:
    """Return what stands in the file."""
    return Friendships.model_validate(tomllib.loads(FRIENDSHIPS.read_text(encoding="utf-8")))


def _friendship(stories: Friendships, number: int, chance: random.Random) -> Friendship:
    pair = stories.pairs[number]
    mine = {one.name: chance.sample(one.variant, 2) for one in stories.family}
    words: dict[tuple[str, str], dict[str, str]] = {}
    sessions: list[list[list[_Line]]] = [[] for _ in range(SESSIONS)]
    for family in stories.family:
        for who, variant in zip(pair, mine[family.name], strict=True):
            other = pair[1 - pair.index(who)]
            values = {key: some[number % len(some)] for key, some in variant.values.items()}
            words[who, family.name] = {"who": who, **variant.terms, **values}
            days = sorted(chance.sample(range(SESSIONS), len(variant.beats)))
            for day, beat in zip(days, variant.beats, strict=True):
                lines = _lines(beat, (who, other), values, family.name)
                sessions[day].append(lines)
    for talk in sessions:
        chance.shuffle(talk)
        for chat in chance.sample(stories.chatter, chance.randint(1, _MOST_CHATTER)):
            talk.insert(chance.randint(0, len(talk)), _lines(chat, chance.sample(pair, 2), {}, ""))
    turns, places = _turns(pair, sessions)
    asked = tuple(
        Question(
            one.text.format(**words[who, family.name]),
            one.kind,
            frozenset(places[who, family.name, mark] for mark in one.evidence),
        )
        for family in stories.family
        for who in pair
        for one in family.questions
    )
    unanswerable = tuple(
        variant.wrong.format(who=other)
        for family in stories.family
        for variant, other in zip(mine[family.name], pair[::-1], strict=True)
    )
    return Friendship(Talks(turns, asked, pair), unanswerable)


def _lines(
    beat: Sequence[str], roles: Sequence[str], values: dict[str, str], family: str
) -> list[_Line]:
    found = []
    for line in beat:
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{FRIENDSHIPS.name}: not a line of a talk: {line!r}")
        speaker = roles["AB".index(match["role"])]
        mark = (roles[0], family, match["mark"]) if match["mark"] else None
        told = match["text"].format(a=roles[0], b=roles[1], **values)
        found.append(_Line(speaker, f"{told[0].upper()}{told[1:]}", mark))
    return found


def _turns(
    pair: Sequence[str], sessions: Sequence[Sequence[Sequence[_Line]]]
) -> tuple[tuple[Turn, ...], dict[tuple[str, str, str], int]]:
    """Return all turns in their order, and the numbers of those that questions name."""
    turns: list[Turn] = []
    places: dict[tuple[str, str, str], int] = {}
    for number, talk in enumerate(sessions):
        lines = (line for part in talk for line in part)
        at = BEGIN + number * APART
        for line, moment in zip(lines, _minutes(at), strict=False):
            if line.mark is not None:
                places[line.mark] = len(turns)
            memory = Memory(
                content=line.text,
                type=MemoryType.INTERACTION,
                metadata={
                    "conversation_id": f"{'-'.join(pair)}-{number + 1}",
                    "speaker": line.speaker,
                    "occurred_at": moment.isoformat(),
                    "source": "network",
                },
            )
            turns.append(Turn(len(turns), memory, moment))
    return tuple(turns), places


def _minutes(at: datetime) -> Iterator[datetime]:
    while True:
        yield at
        at += timedelta(minutes=1)
