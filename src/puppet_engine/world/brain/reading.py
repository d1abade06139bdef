"""What the brain knows: only what is in the messages of a request."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from puppet_engine.llm.base import POST_CHARACTERS
from puppet_engine.personas.prompt import Section

SPEAKERS: Final = 4096
"""Of how many speakers it is remembered what was read: the same ones ask again and again."""


@dataclass(frozen=True)
class Form:
    """The form of all that a speaker writes."""

    shortest: int = 20
    longest: int = POST_CHARACTERS
    emojis: tuple[str, ...] | None = None
    """Those to choose from, any when empty; None when there shall be none."""
    hashtags: tuple[str, ...] | None = None
    """Those to choose from, any when empty; None when there shall be none."""
    lowercase: bool = False
    uppercase: bool = False
    emoji_rate: float | None = None
    """In which share of the texts there are any; left to the brain when None."""
    hashtag_rate: float | None = None


@dataclass(frozen=True)
class Speaker:
    """Who is to speak, as the system prompt has it."""

    handle: str = ""
    about: str = ""
    traits: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()
    opinions: tuple[str, ...] = ()
    surroundings: tuple[str, ...] = ()
    catchphrases: tuple[str, ...] = ()
    avoided: tuple[str, ...] = ()
    manner: str = ""
    """Tone and speaking style, in the persona's own words."""
    form: Form = Form()


@dataclass(frozen=True)
class Said:
    """One post of a conversation."""

    handle: str
    text: str


@dataclass(frozen=True)
class Occasion:
    """What is to be written now, as the user prompt has it."""

    topic: str = ""
    addressee: str = ""
    """A handle with its @, or nothing."""
    weekday: str = ""
    hour: int | None = None
    valence: float | None = None
    """How glad the speaker is to be, from -1 to 1; None when the prompt does not say."""
    length: tuple[int, int] | None = None
    """How long a text is wanted, when it is longer than a post."""
    affinity: float = 0.0
    """How much the speaker likes whom it addresses, from -1 to 1."""
    memories: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()
    thread: tuple[Said, ...] = ()
    post: Said | None = None
    is_in_doubt: bool = False
    """Whether it may not know what it is asked for."""


@lru_cache(maxsize=SPEAKERS)
def read_speaker(prompt: str) -> Speaker:
    """Return who speaks; a prompt that is not ours tells only the manner of speaking."""
    found = _sections(prompt)
    if Section.NAME not in found:
        return Speaker(manner=prompt)
    return Speaker(
        handle=_first(found, Section.HANDLE).removeprefix("@"),
        about=" ".join(found.get(Section.ABOUT, ())),
        traits=found.get(Section.TRAITS, ()),
        values=found.get(Section.VALUES, ()),
        interests=found.get(Section.INTERESTS, ()),
        quirks=found.get(Section.QUIRKS, ()),
        opinions=found.get(Section.OPINIONS, ()),
        surroundings=found.get(Section.SURROUNDINGS, ()),
        catchphrases=found.get(Section.CATCHPHRASES, ()),
        avoided=found.get(Section.AVOID, ()),
        manner=f"{_first(found, Section.SPEAKING_STYLE)} {_first(found, Section.TONE)}",
        form=_read_form(found.get(Section.FORM, ())),
    )


def read_occasion(prompt: str) -> Occasion:
    """Return what is asked for; a prompt that is not ours is a topic."""
    found = _sections(prompt)
    if Section.TASK not in found:
        return Occasion(topic=" ".join(prompt.split()))
    weekday, hour = _moment(_first(found, Section.NOW))
    thread = tuple(_said(line) for line in found.get(Section.THREAD, ()))
    post = _first(found, Section.POST)
    return Occasion(
        topic=_first(found, Section.TOPIC),
        addressee=_first(found, Section.ADDRESSEE).partition(":")[0],
        weekday=weekday,
        hour=hour,
        length=_between("\n".join(found.get(Section.LENGTH, ()))),
        valence=_feeling(found.get(Section.FEELING, ()), "valence"),
        affinity=_feeling(found.get(Section.STANDING, ()), "affinity") or 0.0,
        memories=found.get(Section.MEMORIES, ()),
        recent=found.get(Section.RECENT, ()),
        thread=thread,
        post=_said(post) if post else None,
        is_in_doubt=Section.DOUBT in found,
    )


def _sections(prompt: str) -> dict[str, tuple[str, ...]]:
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in prompt.splitlines():
        if line.startswith("## "):
            lines = sections.setdefault(line.removeprefix("## ").strip(), [])
        elif line.strip():
            lines.append(re.sub(r"^[->] ", "", line).strip())
    return {label: tuple(body) for label, body in sections.items()}


def _first(sections: Mapping[str, Sequence[str]], label: Section) -> str:
    return next(iter(sections.get(label, ())), "")


def _said(line: str) -> Said:
    handle, _, text = line.removeprefix("@").partition(": ")
    return Said(handle, text)


def _moment(line: str) -> tuple[str, int | None]:
    clock = re.search(r"(\d{1,2}):\d\d", line)
    return line.partition(",")[0].strip(), int(clock[1]) if clock else None


def _feeling(lines: Sequence[str], what: str) -> float | None:
    told = re.search(rf"\b{what} ([+-]\d\.\d\d)\b", " ".join(lines[:1]))
    return float(told[1]) if told else None


def _read_form(lines: Sequence[str]) -> Form:
    text = "\n".join(lines)
    low, high = _between(text) or (20, POST_CHARACTERS)
    return Form(
        shortest=min(low, high),
        longest=min(high, POST_CHARACTERS),
        emojis=_allowed(text, "Emojis"),
        hashtags=_allowed(text, "Hashtags"),
        lowercase="lowercase only" in text,
        uppercase="capitals only" in text,
        emoji_rate=_rate(text, "Emojis"),
        hashtag_rate=_rate(text, "Hashtags"),
    )


def _between(text: str) -> tuple[int, int] | None:
    length = re.search(r"Between (\d+) and (\d+) characters", text)
    return (int(length[1]), int(length[2])) if length else None


def _rate(text: str, what: str) -> float | None:
    share = re.search(rf"^{what}: .*?, in (\d+)% of your posts", text, re.MULTILINE)
    return int(share[1]) / 100 if share else None


def _allowed(text: str, what: str) -> tuple[str, ...] | None:
    line = re.search(rf"^{what}: (.*)$", text, re.MULTILINE)
    if line is None or line[1].startswith("none"):
        return None
    _, _, favourites = line[1].partition("such as ")
    return tuple(favourites.split())
