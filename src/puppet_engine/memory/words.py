"""The words of texts, and how well those of some match those of a cue.

BM25 (Robertson & Zaragoza, "The Probabilistic Relevance Framework", 2009) among the texts that are
weighed: databases rank words in ways of their own, and the same life is to be lived on each.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

SATURATION: Final = 1.2
"""`k1`: how soon a word that comes again says no more."""
LENGTH: Final = 0.3
"""`b`: how much a long text is held to have more words by chance; memories are all short."""

_WORD: Final = re.compile(r"[^\W_]+")

_OF_QUESTIONS: Final = frozenset(
    _WORD.findall(
        "a about an and any are as at be been by can could did do does for from had has have he "
        "her him his how i in is it its me my of on or our she so some than that the their them "
        "then there they this to us was we were what when where which who whom whose why will "
        "with would you your"
    )
)
"""Words that say little of what is meant; neither does the word of a question."""

_MOST_SHORTENED: Final = 4
"""Of how many words initialisms are looked for; a sentence has too many."""


def words(text: str) -> list[str]:
    """Return the words of a text, folded to lower case, plurals to singulars."""
    return [_singular(word) for word in _WORD.findall(text.casefold())]


def searched(cue: str) -> str:
    """Return what of a cue is searched for: not what any question has, but abbreviations too.

    `artificial intelligence` is searched for as `artificial intelligence ai`.
    """
    found = _WORD.findall(cue.casefold())
    telling = [word for word in found if word not in _OF_QUESTIONS]
    if len(found) <= _MOST_SHORTENED:
        return " ".join([cue, *sorted(initialisms(cue))])
    return " ".join(telling) if telling else cue


def initialisms(text: str) -> frozenset[str]:
    """Return what neighbouring words are abbreviated to: `artificial intelligence` to `ai`."""
    letters = "".join(word[0] for word in _WORD.findall(text.casefold()))
    lengths = range(2, min(len(letters), 5) + 1)
    return frozenset(
        letters[at : at + length] for length in lengths for at in range(len(letters) - length + 1)
    )


def matches(texts: Iterable[str], query: str) -> list[float]:
    """Return how well the words of each text match a query's, from 0 to 1: the best has 1."""
    wanted = sorted(set(words(query)))
    counted = [Counter(words(text)) for text in texts]
    rarity = {word: _rarity(sum(word in one for one in counted), len(counted)) for word in wanted}
    usual = sum(one.total() for one in counted) / len(counted) if counted else 0
    scores = [_match(one, rarity, one.total() / usual if usual else 1) for one in counted]
    best = max(scores, default=0)
    return [score / best if best else 0.0 for score in scores]


def _match(text: Counter[str], rarity: dict[str, float], length: float) -> float:
    damping = SATURATION * (1 - LENGTH + LENGTH * length)
    # In one order: sums of floats depend on it.
    return sum(
        weight * text[word] * (SATURATION + 1) / (text[word] + damping)
        for word, weight in rarity.items()
        if word in text
    )


def _rarity(having: int, texts: int) -> float:
    return math.log(1 + (texts - having + 0.5) / (having + 0.5))


def _singular(word: str) -> str:
    long_enough = len(word) > 3  # noqa: PLR2004 - "gas", "bus"
    return word[:-1] if long_enough and word[-1] == "s" and word[-2] != "s" else word
