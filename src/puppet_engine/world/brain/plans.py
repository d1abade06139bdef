"""What kind of text an occasion calls for: which rules make it, one after the other."""

import random
from dataclasses import dataclass
from typing import Final

from puppet_engine.style.honesty import asks_whether_program
from puppet_engine.world.brain.reading import Occasion, Said, Speaker
from puppet_engine.world.brain.recollecting import told_before
from puppet_engine.world.brain.words import content_words, hear

_PATIENCE: Final = 3
"""After so many turns of their own in a conversation somebody takes their leave."""
_EARLY_LEAVE: Final = 0.5
_OWN_PATTERN: Final = 0.75
"""How often a text is of the voice's own making, rather than of what all voices share."""
_LEADING_IN: Final = 0.2
_TRAILING_OFF: Final = 0.3
_ASKING_BACK: Final = (0.4, 0.25, 0.1)
"""How often a reply ends in a question, by the turns already taken."""


@dataclass(frozen=True)
class Plan:
    """The rules that make a text, and what makes it longer when it is too short."""

    rules: tuple[str, ...]
    filler: str
    is_grave: bool = False
    """No emojis and hashtags: somebody is in distress."""


def plan_post(occasion: Occasion, chance: random.Random) -> Plan:
    """Return the plan of a new post: perhaps a lead, the matter, perhaps an aside."""
    own = chance.random() < _OWN_PATTERN
    aside = ["aside"] if chance.random() < _TRAILING_OFF else []
    if occasion.addressee:
        return Plan(("addressed" if own else "addressed_shared", *aside), filler="aside")
    lead = ["lead"] if chance.random() < _LEADING_IN else []
    if occasion.length is not None:
        # Who tells something at length comes back to the matter, again and again.
        return Plan((*lead, "post" if own else "shared_post", *aside), filler="post")
    return Plan((*lead, "post" if own else "shared_post", *aside), filler="aside")


def plan_reply(speaker: Speaker, occasion: Occasion, post: Said, chance: random.Random) -> Plan:
    """Return the plan of a reply.

    What must be said comes first, then distress, then what the speaker keeps out of.
    """
    heard = hear(post.text)
    if must := _owed(occasion, post):
        return _reply(must)
    if heard.calls_for == "console":
        return Plan(("console",), filler="console", is_grave=True)
    forbidden = {word for topic in speaker.avoided for word in content_words(topic)}
    manner = "decline" if forbidden & content_words(post.text) else ""
    turns = sum(said.handle == speaker.handle for said in occasion.thread)
    is_tired = turns == _PATIENCE - 1
    if manner or turns >= _PATIENCE or (is_tired and chance.random() < _EARLY_LEAVE):
        return _reply(manner or "farewell")
    if heard.calls_for and not turns:
        return _reply(heard.calls_for)
    own = "answer" if heard.is_question else "reply"
    substance = own if chance.random() < _OWN_PATTERN else "shared_reply"
    return _reply(substance, *(["ask"] if chance.random() < _ASKING_BACK[turns] else []))


def _owed(occasion: Occasion, post: Said) -> str:
    """Return what whoever asks is owed: what one is, what they have told, or that one forgot."""
    if asks_whether_program(post.text):
        return "confess"
    if told := told_before(post.text, asker=post.handle, memories=occasion.memories):
        return "recalling" if len(told) == 1 else "torn"
    return "unknowing" if occasion.is_in_doubt else ""


def _reply(*rules: str) -> Plan:
    return Plan(rules, filler="reply_aside")
