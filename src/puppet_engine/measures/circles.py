"""Three circles of people who talk: the third set of talks with known evidence, held out.

Written down as they stand, of other people, topics and wordings than the other two; nothing is
chosen by what they measure.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import Field

from puppet_engine.core.models import Memory, MemoryType, Noun
from puppet_engine.measures.dialogues import Kind, Question, Talks, Turn

CIRCLES: Final = Path(__file__).with_name("circles.toml")
ASKED_AT: Final = datetime(2026, 6, 20, 12, tzinfo=UTC)

_BEGIN: Final = timedelta(hours=18)
_LINE: Final = re.compile(r"(?P<speaker>\w+)(?:\((?P<mark>\w+)\))?: (?P<text>.+)")
_QUESTION: Final = re.compile(r"(?P<kind>[\w-]+) \| (?P<text>.+) \| (?P<evidence>[\w, ]+)")


class Written(Noun):
    """A circle as it stands in the file."""

    people: tuple[str, ...]
    is_of_agent: bool = False
    """Whether they talk with the agent, each alone, and not with each other."""
    talks: tuple[str, ...]
    questions: tuple[str, ...]
    wrong: tuple[str, ...]
    untold: tuple[str, ...]


class File(Noun):
    """What stands in the file."""

    circle: tuple[Written, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Circle:
    """What a circle said, what can be asked of it, and what cannot."""

    said: Talks
    wrong: tuple[str, ...]
    """Of somebody of whom it was not told, though it was of another."""
    untold: tuple[str, ...]
    """Of what nobody spoke of."""


def circles() -> tuple[Circle, ...]:
    """Return what all circles said."""
    file = File.model_validate(tomllib.loads(CIRCLES.read_text(encoding="utf-8")))
    return tuple(map(_circle, file.circle))


def _circle(written: Written) -> Circle:
    turns: list[Turn] = []
    marks: dict[str, int] = {}
    for talk in written.talks:
        for mark, moment, memory in _memories(written, talk):
            if mark:
                marks[mark] = len(turns)
            turns.append(Turn(len(turns), memory, moment))
    asked = tuple(_question(one, marks) for one in written.questions)
    return Circle(Talks(tuple(turns), asked, written.people), written.wrong, written.untold)


def _memories(written: Written, talk: str) -> Iterator[tuple[str, datetime, Memory]]:
    day, *lines = talk.splitlines()
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC) + _BEGIN
    with_whom = next(one for one in written.people if f"\n{one}" in talk).casefold()
    for number, line in enumerate(lines):
        read = _matched(_LINE, line)
        moment = begin + number * timedelta(minutes=2)
        speaker, text = read["speaker"].casefold(), read["text"]
        if written.is_of_agent:
            text = (
                f"I answered @{with_whom}: {text}"
                if speaker == "me"
                else f"@{speaker} said to me: {text}"
            )
        memory = Memory(
            content=text,
            type=MemoryType.INTERACTION,
            metadata={
                "conversation_id": f"{with_whom}-{day}",
                "speaker": speaker,
                "occurred_at": moment.isoformat(),
                "source": "self" if speaker == "me" else "network",
            },
        )
        yield read["mark"] or "", moment, memory


def _question(written: str, marks: dict[str, int]) -> Question:
    read = _matched(_QUESTION, written)
    evidence = frozenset(marks[mark] for mark in read["evidence"].split(", "))
    return Question(read["text"], Kind(read["kind"]), evidence)


def _matched(pattern: re.Pattern[str], line: str) -> re.Match[str]:
    match = pattern.fullmatch(line)
    if match is None:
        raise ValueError(f"{CIRCLES.name}: neither a line of a talk nor a question: {line!r}")
    return match
