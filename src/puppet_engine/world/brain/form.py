"""The form of a finished text: sentences, length, case, emojis, hashtags."""

import random
import re
from typing import Final

from puppet_engine.style.weight import weighted_length
from puppet_engine.world.brain.reading import Form

_LONGEST_TAG: Final = 20


def tidy(text: str) -> str:
    """Return the text with single spaces, capitals where sentences begin, and an end."""
    text = re.sub(r"[ \t]+", " ", text).strip()
    text = re.sub(r"\s+([,.;:!?])(?=\s|$)", r"\1", text)
    text = re.sub(r"([.!?])\.(?!\.)", r"\1", text)
    return capitalised(text if re.search(r"[.!?…)'\"]$", text) else f"{text}.")


def capitalised(text: str) -> str:
    """Return the text with a capital at the beginning of each sentence."""
    sentence = re.compile(
        r"""(^(?:@\S+[ ])?['"(]?|(?<![Cc]f)(?<!\b[ap]\.m)[.!?…]['")]*\s+['"(]?)([^\W\d_])""",
    )
    return sentence.sub(lambda found: found[1] + found[2].upper(), text)


def dressed(
    text: str, form: Form, *, topic: str, emojis: tuple[str, ...], chance: random.Random
) -> str:
    """Return the text with what the form allows besides words, as far as there is room."""
    for extra in (*_emojis(form, emojis, chance), *_hashtags(form, topic, chance)):
        if weighted_length(f"{text} {extra}") <= form.longest:
            text = f"{text} {extra}"
    if form.uppercase:
        # A handle is spelled as its owner does.
        return re.sub(r"(@\w+)|[^@]+|@", lambda found: found[1] or found[0].upper(), text)
    return text.lower() if form.lowercase else text


def _emojis(form: Form, usual: tuple[str, ...], chance: random.Random) -> list[str]:
    if form.emojis is None:
        return []
    count = _count(form.emoji_rate, chance, usual=(1, 5, 2))
    choice = form.emojis or usual
    return ["".join(chance.sample(choice, min(count, len(choice))))] if count and choice else []


def _count(rate: float | None, chance: random.Random, *, usual: tuple[int, int, int]) -> int:
    """Return how many of a thing there are: none, one or two, at the rate asked for."""
    _, one, two = usual
    weights: tuple[float, ...] = usual
    if rate is not None:
        some = rate / (one + two)
        weights = (1 - rate, some * one, some * two)
    return chance.choices((0, 1, 2), weights=weights)[0]


def _hashtags(form: Form, topic: str, chance: random.Random) -> list[str]:
    if form.hashtags is None:
        return []
    count = _count(form.hashtag_rate, chance, usual=(3, 5, 2))
    words = re.findall(r"[^\W_]+", topic)
    own = "#" + "".join(word if word.isupper() else word.capitalize() for word in words)
    tags = [own] if words and len(own) <= _LONGEST_TAG else []
    rest = [tag for tag in form.hashtags if tag.lower() != own.lower()]
    chance.shuffle(rest)
    chance.shuffle(tags := [*tags, *rest[:1]])
    return tags[:count]
