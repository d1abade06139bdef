"""From the messages of a request to the text a persona would write: one pure function."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from puppet_engine.world.brain.facts import post_facts, reply_facts
from puppet_engine.world.brain.form import dressed, tidy
from puppet_engine.world.brain.grammar import CannotSayError, Telling
from puppet_engine.world.brain.reading import Form, Occasion, Speaker, read_occasion, read_speaker
from puppet_engine.world.brain.voices import Voice, voice_of
from puppet_engine.world.brain.words import content_words, hear

_DRAFTS: Final = 12
_OPENING: Final = 3
"""So many words make an opening, which is not used again while it is remembered."""
_PATIENCE: Final = 3
"""After so many turns of their own in a conversation somebody takes their leave."""
_CATCHPHRASE: Final = 0.06
_OWN_PATTERN: Final = 0.75
"""How often a text is of the voice's own making, rather than of what all voices share."""
_LEADING_IN: Final = 0.2
_TRAILING_OFF: Final = 0.3
_EARLY_LEAVE: Final = 0.5
_ASKING_BACK: Final = (0.4, 0.25, 0.1)
"""How often a reply ends in a question, by the turns already taken."""


@dataclass(frozen=True)
class Message:
    """One message of a request, as OpenAI's protocol has it."""

    role: str
    content: str


def write(seed: int, messages: Sequence[Message]) -> str:
    """Return what the model answers: the same to the same messages under the same seed."""
    system = "\n".join(it.content for it in messages if it.role in {"system", "developer"})
    user = next((it.content for it in reversed(messages) if it.role == "user"), "")
    chance = random.Random(f"{seed}\0{system}\0{user}")  # noqa: S311 - chatter, not secrets
    speaker, occasion = read_speaker(system), read_occasion(user)
    voice = voice_of(speaker)
    text = _freshest(_drafts(speaker, occasion, voice, chance), occasion.recent)
    topic = occasion.topic if occasion.post is None else ""
    return dressed(text, speaker.form, topic=topic, emojis=voice.emojis, chance=chance)


def _drafts(
    speaker: Speaker, occasion: Occasion, voice: Voice, chance: random.Random
) -> Iterator[str]:
    replying = occasion.post is not None
    facts = (reply_facts if replying else post_facts)(speaker, occasion)
    found = 0
    for _ in range(_DRAFTS * 10):
        telling = Telling(voice.rules, facts, chance)
        plan = _reply_plan(speaker, occasion, chance) if replying else _post_plan(occasion, chance)
        text = _told(telling, plan, speaker.form, chance, replying=replying)
        if text and speaker.catchphrases and not replying and chance.random() < _CATCHPHRASE:
            text = f"{text} {_sentence(chance.choice(speaker.catchphrases))}"
        if text and len(text) <= speaker.form.longest:
            yield tidy(text)
            found += 1
        if found == _DRAFTS:
            return
    if not found:
        yield _bare(Telling(voice.rules, facts, chance), speaker.form)


def _post_plan(occasion: Occasion, chance: random.Random) -> list[str]:
    aside = ["aside"] if chance.random() < _TRAILING_OFF else []
    if occasion.addressee:
        return ["addressed" if chance.random() < _OWN_PATTERN else "addressed_shared", *aside]
    post = "post" if chance.random() < _OWN_PATTERN else "shared_post"
    lead = ["lead"] if chance.random() < _LEADING_IN else []
    return [*lead, post, *aside]


def _reply_plan(speaker: Speaker, occasion: Occasion, chance: random.Random) -> list[str]:
    """Return the rules that make a reply: its substance, and perhaps a question back."""
    assert occasion.post is not None  # noqa: S101 - the caller looked
    heard = hear(occasion.post.text)
    turns = sum(said.handle == speaker.handle for said in occasion.thread)
    forbidden = {word for topic in speaker.avoided for word in content_words(topic)}
    if forbidden & content_words(occasion.post.text):
        return ["decline"]
    if turns >= _PATIENCE or (turns == _PATIENCE - 1 and chance.random() < _EARLY_LEAVE):
        return ["farewell"]
    own = "answer" if heard.is_question else "reply"
    substance = own if chance.random() < _OWN_PATTERN else "shared_reply"
    wants_more = chance.random() < _ASKING_BACK[turns]
    return [substance, "ask"] if wants_more else [substance]


def _told(
    telling: Telling, plan: Sequence[str], form: Form, chance: random.Random, *, replying: bool
) -> str:
    """Return the text that a plan leads to, with asides until it is long enough; else nothing."""
    try:
        text = " ".join(telling.say(rule) for rule in plan)
        # Somebody who writes at length mostly does so, but not always to the brim.
        wanted = (
            form.shortest
            if replying
            else chance.randint(form.shortest, (form.shortest * 2 + form.longest) // 3)
        )
        while len(text) < wanted:
            longer = f"{text} {telling.say('reply_aside' if replying else 'aside')}"
            if len(longer) > form.longest and len(text) >= form.shortest:
                break
            text = longer
    except CannotSayError:
        return ""
    return text


def _bare(telling: Telling, form: Form) -> str:
    """Return something even for the narrowest form."""
    text = tidy(telling.say("bare"))
    return text if len(text) <= form.longest else text[: form.longest].rsplit(" ", 1)[0]


def _freshest(drafts: Iterator[str], recent: Sequence[str]) -> str:
    """Return the draft least like what was written lately: the first that is not at all."""
    remembered = [_words(post) for post in recent]
    best, staleness = "", float("inf")
    for draft in drafts:
        words = _words(draft)
        worst = max((_likeness(words, old) for old in remembered), default=0.0)
        if worst < staleness:
            best, staleness = draft, worst
        if not worst:
            break
    return best


def _likeness(words: Sequence[str], old: Sequence[str]) -> float:
    """Return the part of the shorter text that is in both; beginning alike counts as all of it."""
    mine, theirs = _spans(words), _spans(old)
    shared = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
    return shared + (words[:_OPENING] == old[:_OPENING])


def _words(text: str) -> list[str]:
    """Return the words of a post, without the handle it is addressed to."""
    return re.findall(r"[\w']+", re.sub(r"^@\S+ ", "", text).lower())


def _spans(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + 3]) for at in range(len(words) - 2)}


def _sentence(text: str) -> str:
    return text if re.search(r"[.!?…]$", text) else f"{text}."
