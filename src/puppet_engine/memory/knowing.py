"""Whether what comes to mind answers a question at all, or the agent should say it does not know.

Something always comes to mind. It answers when somebody whom the question is about said something
near it in meaning, or with its rarer words, or next to such a turn. How sure that makes one is a
logistic function of these signals, fitted on talks of `puppets memory audit` (seed 11).
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from puppet_engine.memory.cues import cues
from puppet_engine.memory.words import searched, words
from puppet_engine.storage.memories import Found

ENOUGH: Final = 0.5
"""From which certainty on an agent holds that it knows."""

_NAME: Final = re.compile(r"(?<=[a-z,] )@?([A-Z][\w-]+)(?=\W|$)")


class Signals(NamedTuple):
    """What speaks for an answer; each from 0 to 1."""

    cosine: float
    """The best of what was said by, or with, those whom the question names."""
    coverage: float
    """Which share of the question's words, by their rarity, stands in one of their talks."""
    stranger: float
    """1 when it names somebody of whom nothing found speaks."""
    moment: float
    """1 when it names a time, and one of those it names said something then."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How much each signal says."""

    bias: float
    cosine: float
    coverage: float
    stranger: float
    moment: float

    def certainty(self, signals: Signals) -> float:
        """Return how sure it is that there is an answer, from 0 to 1."""
        total = (
            self.bias
            + self.cosine * signals.cosine
            + self.coverage * signals.coverage
            + self.stranger * signals.stranger
            + self.moment * signals.moment
        )
        return 1 / (1 + math.exp(-total))


BY_MEANING: Final = Fit(bias=-2.9, cosine=3.0, coverage=5.9, stranger=-5.3, moment=4.8)
BY_WORDS: Final = Fit(bias=-1.7, cosine=0.0, coverage=6.4, stranger=-5.2, moment=5.0)


def certainty(found: Sequence[Found], question: str, *, now: datetime) -> float:
    """Return how sure an agent may be that what it found answers a question, from 0 to 1."""
    if not found:
        return 0.0
    by_meaning = any(one.cosine for one in found)
    fit = BY_MEANING if by_meaning else BY_WORDS
    return fit.certainty(signals(found, question, now=now))


def signals(found: Sequence[Found], question: str, *, now: datetime) -> Signals:
    """Return what speaks for an answer among what was found."""
    speakers = {one.speaker for one in found if one.speaker}
    asked_of = cues(question, speakers=speakers, now=now)
    people = asked_of.people
    split = {one.place: frozenset(words(one.content)) for one in found}
    known = {one.place: one for one in found}
    asked = sorted(
        set(words(searched(question))) - {word for name in people for word in words(name)}
    )
    rarity = _rarities(asked, split)
    best_cosine = best_coverage = moment = 0.0
    for one in found:
        talk = [one, *(known[place] for place in one.near.values() if place in known)]
        if people and not any(turn.speaker in people for turn in talk):
            continue
        best_cosine = max(best_cosine, *(turn.cosine for turn in talk))
        moment = max(moment, float(asked_of.nearness(one.moment) == 1))
        said = frozenset[str]().union(*(split[turn.place] for turn in talk))
        best_coverage = max(best_coverage, sum(rarity[word] for word in asked if word in said))
    total = sum(rarity.values())
    named = {name.casefold() for name in _NAME.findall(question)}
    strangers = [name for name in named if not _is_known(name, speakers, split)]
    return Signals(
        cosine=best_cosine,
        coverage=best_coverage / total if total else 0.0,
        stranger=float(bool(strangers)),
        moment=moment,
    )


def _rarities(asked: Sequence[str], texts: Mapping[int, frozenset[str]]) -> dict[str, float]:
    count = len(texts)
    return {
        word: math.log(1 + (count + 1) / (1 + sum(word in text for text in texts.values())))
        for word in asked
    }


def _is_known(name: str, speakers: set[str], texts: Mapping[int, frozenset[str]]) -> bool:
    stems = words(name)
    is_speaker = any(name in words_of for words_of in map(str.split, speakers)) or name in speakers
    return is_speaker or any(all(stem in text for stem in stems) for text in texts.values())
