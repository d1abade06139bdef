"""What there is to say on an occasion: the words that fill the slots of patterns."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from puppet_engine.world.brain.grammar import Rules
from puppet_engine.world.brain.reading import Occasion, Said, Speaker
from puppet_engine.world.brain.recollecting import told_before
from puppet_engine.world.brain.words import content_words, hear

_DAYPARTS: Final = (
    (5, "night"),
    (12, "morning"),
    (17, "afternoon"),
    (22, "evening"),
    (24, "night"),
)
_LONGEST_MEMORY: Final = 120
_LONGEST_TOPIC: Final = 48
_TOLD: Final = re.compile(r"(?!I (?:posted|answered)\b)(?:I|My|We|Our)\b")
"""What can be told again: in the first person, and not what was said already."""
_LONGEST_VALUE: Final = 24


def post_facts(speaker: Speaker, occasion: Occasion) -> Rules:
    """Return the facts for a new post."""
    topic = topic_of(occasion.topic) or next(iter(speaker.interests), "the day")
    own = _own_facts(speaker, occasion)
    fitting = [it for it in own["opinion"] if _alike(it, topic)]
    return _present(
        {
            **own,
            "topic": [topic],
            "fitting": fitting,
            "opinion": [it for it in own["opinion"] if it not in fitting],
            "interest": [it for it in speaker.interests if not _alike(it, topic)],
            "you": [occasion.addressee],
        },
        speaker.avoided,
    )


def reply_facts(speaker: Speaker, occasion: Occasion, post: Said) -> Rules:
    """Return the facts for an answer to a post."""
    heard = hear(post.text)
    theirs = content_words(post.text)
    related = [it for it in occasion.memories if content_words(it) & theirs]
    own = _own_facts(speaker, occasion)
    told = told_before(post.text, asker=post.handle, memories=occasion.memories)
    return _present(
        {
            **own,
            "known": told[:1],
            "known_too": told[1:2],
            "related": memories_of(related),
            "it": heard.things[:4],
            "echo": heard.echoes[:4],
            "word": heard.words[:4],
            "kind": [heard.kind],
            "you": [f"@{post.handle}"],
            "interest": speaker.interests,
        },
        speaker.avoided,
    )


def topic_of(text: str) -> str:
    """Return a topic as it stands, or what a long one is about."""
    topic = text.strip().rstrip(".!?")
    if len(topic) <= _LONGEST_TOPIC:
        return topic
    heard = hear(topic)
    things = (thing.partition(" ")[2] for thing in heard.things)
    return next(iter((*things, *heard.words)), topic[:_LONGEST_TOPIC])


def memories_of(texts: Iterable[str]) -> list[str]:
    """Return the memories that can be told as they stand: short ones, in the first person."""
    told = (text.strip() for text in texts)
    return [
        text if re.search(r"[.!?…]$", text) else f"{text}."
        for text in told
        if len(text) <= _LONGEST_MEMORY and _TOLD.match(text) and "@" not in text
    ]


def _own_facts(speaker: Speaker, occasion: Occasion) -> dict[str, Sequence[str]]:
    return {
        "thing": speaker.surroundings,
        "opinion": [re.sub(r"(?<![.!?…])$", ".", it) for it in speaker.opinions],
        "value": [it for it in speaker.values if len(it) <= _LONGEST_VALUE],
        "habit": [it for it in speaker.quirks if re.match(r"[a-z]+s\b", it)],
        "memory": memories_of(occasion.memories),
        "weekday": [occasion.weekday],
        "daypart": [] if occasion.hour is None else [_daypart(occasion.hour)],
    }


def _daypart(hour: int) -> str:
    return next(name for end, name in _DAYPARTS if hour < end)


def _alike(one: str, other: str) -> bool:
    return one.lower() == other.lower() or bool(content_words(one) & content_words(other))


def _present(facts: dict[str, Sequence[str]], avoided: Sequence[str]) -> Rules:
    """Leave out what is empty or must not be spoken of."""
    forbidden = {word for topic in avoided for word in content_words(topic)}
    kept = {
        name: [it for it in values if it and not content_words(it) & forbidden]
        for name, values in facts.items()
    }
    return {name: values for name, values in kept.items() if values}
