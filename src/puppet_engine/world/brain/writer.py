"""From the messages of a request to the text a persona would write: one pure function."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from puppet_engine.style.anatomy import without_address
from puppet_engine.style.weight import weighted_length
from puppet_engine.world.brain.facts import post_facts, reply_facts
from puppet_engine.world.brain.form import dressed, tidy
from puppet_engine.world.brain.freshness import freshest, in_tone
from puppet_engine.world.brain.grammar import CannotSayError, Rules, Telling
from puppet_engine.world.brain.plans import Plan, plan_post, plan_reply
from puppet_engine.world.brain.reading import (
    Form,
    Occasion,
    Said,
    Speaker,
    read_occasion,
    read_speaker,
)
from puppet_engine.world.brain.voices import voice_of

_DRAFTS: Final = 12
_ATTEMPTS: Final = 120
_IN_TONE: Final = 4
"""Of how many drafts somebody in a mood says the one that sounds most like it."""
_EVEN: Final = 0.15
"""Up to which valence somebody is in no mood."""
BY_AFFINITY: Final = 0.5
"""How much warmer, or colder, somebody sounds to whom they like, or dislike."""
_CATCHPHRASE: Final = 0.06
"""How often a post ends in one of the persona's catchphrases."""


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
    speaker, occasion = _speaker_of(system), read_occasion(user)
    if occasion.post is None:
        return _post(speaker, occasion, chance)
    return _reply(speaker, occasion, occasion.post, chance)


@lru_cache(maxsize=256)
def _speaker_of(system: str) -> Speaker:
    """Return who speaks: the same prompt comes again with each of their texts."""
    return read_speaker(system)


def _post(speaker: Speaker, occasion: Occasion, chance: random.Random) -> str:
    voice, form = voice_of(speaker), speaker.form
    if occasion.length is not None:
        form = replace(form, shortest=occasion.length[0], longest=occasion.length[1])

    def draft(telling: Telling) -> str:
        # Somebody who writes at length mostly does so, but not always to the brim.
        wanted = chance.randint(form.shortest, (form.shortest * 2 + form.longest) // 3)
        text = _told(telling, plan_post(occasion, chance), form, at_least=wanted)
        if speaker.catchphrases and chance.random() < _CATCHPHRASE:
            return f"{text} {_sentence(chance.choice(speaker.catchphrases))}"
        return text

    drafts = _drafts(draft, voice.rules, post_facts(speaker, occasion), form, chance)
    text = _chosen(drafts, occasion)
    return dressed(text, form, topic=occasion.topic, emojis=voice.emojis, chance=chance)


def _reply(speaker: Speaker, occasion: Occasion, post: Said, chance: random.Random) -> str:
    voice, form = voice_of(speaker), speaker.form
    plan = plan_reply(speaker, occasion, post, chance)
    if plan.is_grave:
        form = replace(form, emojis=None, hashtags=None)

    def draft(telling: Telling) -> str:
        return _told(telling, plan, form, at_least=form.shortest)

    facts = reply_facts(speaker, occasion, post)
    drafts = _drafts(draft, voice.rules, facts, form, chance)
    # Grief is no occasion for one's own mood.
    text = freshest(drafts, occasion.recent) if plan.is_grave else _chosen(drafts, occasion)
    return dressed(text, form, topic="", emojis=voice.emojis, chance=chance)


def _chosen(drafts: Iterator[str], occasion: Occasion) -> str:
    """Return the draft that is fresh, and sounds as the speaker feels, if that is known."""
    if occasion.valence is None:
        return freshest(drafts, occasion.recent)
    wanted = occasion.valence + BY_AFFINITY * occasion.affinity
    if abs(wanted) <= _EVEN:
        return freshest(drafts, occasion.recent)
    return in_tone(drafts, occasion.recent, valence=max(-1.0, min(1.0, wanted)), among=_IN_TONE)


def _drafts(
    draft: Callable[[Telling], str], rules: Rules, facts: Rules, form: Form, chance: random.Random
) -> Iterator[str]:
    """Yield drafts that fit the form; when nothing does, the barest text there is."""
    found = 0
    for _ in range(_ATTEMPTS):
        try:
            text = tidy(draft(Telling(rules, facts, chance)))
        except CannotSayError:
            continue
        if weighted_length(text) <= form.longest:
            yield text
            found += 1
        if found == _DRAFTS:
            return
    if not found:
        bare = tidy(Telling(rules, facts, chance).say("bare"))
        yield bare if len(bare) <= form.longest else bare[: form.longest].rsplit(" ", 1)[0]


def _told(telling: Telling, plan: Plan, form: Form, *, at_least: int) -> str:
    """Return the text of a plan, made longer as long as it is too short."""
    text = " ".join(telling.say(rule) for rule in plan.rules)
    # Whom it is addressed to is no part of what is said.
    while len(without_address(text)) < at_least:
        longer = f"{text} {telling.say(plan.filler)}"
        enough = len(without_address(text)) >= form.shortest
        if len(longer) > form.longest and enough:
            break
        text = longer
    return text


def _sentence(text: str) -> str:
    return text if re.search(r"[.!?…]$", text) else f"{text}."
