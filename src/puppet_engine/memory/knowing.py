"""Whether what comes to mind answers a question at all, or the agent should say it does not know.

Something always comes to mind. It answers when somebody whom the question is about told something
with its rarer words, or right after such a turn; and less so when others told something nearer to
it, for then it was they of whom that is so. How sure that makes one is a logistic function of
these signals, fitted on talks of `puppets memory audit` (seed 11) so that four of a hundred
questions with an answer are doubted; the other sets only judge it.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
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
    """What speaks for an answer, and against it; each from 0 to 1."""

    coverage: float
    """Which share of the question's words, by their rarity, has a turn in which one of those
    whom it names tells something, with the turn before it."""
    moment: float
    """1 when it names a time, and one of those it names said something then."""
    stranger: float
    """1 when it names somebody of whom nothing found speaks."""
    worded_elsewhere: float
    """How much more coverage there is in what all others told."""
    meant_elsewhere: float
    """How much nearer to it in meaning is what all others told."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How much each signal says."""

    bias: float
    coverage: float
    moment: float
    stranger: float
    worded_elsewhere: float
    meant_elsewhere: float

    def certainty(self, signals: Signals) -> float:
        """Return how sure it is that there is an answer, from 0 to 1."""
        total = (
            self.bias
            + self.coverage * signals.coverage
            + self.moment * signals.moment
            - self.stranger * signals.stranger
            - self.worded_elsewhere * signals.worded_elsewhere
            - self.meant_elsewhere * signals.meant_elsewhere
        )
        return 1 / (1 + math.exp(-total))


BY_MEANING: Final = Fit(
    bias=-0.2,
    coverage=8.0,
    moment=6.3,
    stranger=7.1,
    worded_elsewhere=3.8,
    meant_elsewhere=6.7,
)
BY_WORDS: Final = Fit(
    bias=-0.4,
    coverage=8.0,
    moment=6.5,
    stranger=6.8,
    worded_elsewhere=4.9,
    meant_elsewhere=0.0,
)


class _Told(NamedTuple):
    """The best of what some told."""

    coverage: float
    cosine: float


def certainty(found: Sequence[Found], question: str, *, now: datetime) -> float:
    """Return how sure an agent may be that what it found answers a question, from 0 to 1."""
    if not found:
        return 0.0
    by_meaning = any(one.cosine for one in found)
    fit = BY_MEANING if by_meaning else BY_WORDS
    return fit.certainty(signals(found, question, now=now))


def signals(found: Sequence[Found], question: str, *, now: datetime) -> Signals:
    """Return what speaks for an answer among what was found, and what against it."""
    speakers = {one.speaker for one in found if one.speaker}
    asked_of = cues(question, speakers=speakers, now=now)
    people = asked_of.people
    split = {one.place: frozenset(words(one.content)) for one in found}
    names = {word for name in people for word in words(name)}
    coverage = _Coverage(set(words(searched(question))) - names, split, _before(found))
    # What nobody said, but somebody wrote of them, is of them, too.
    mine = [
        one
        for one in found
        if not people
        or one.speaker in people
        or (one.speaker is None and names & split[one.place])
    ]
    told_of_them = {one.place for one in mine}
    others = [one for one in found if one.place not in told_of_them]
    of_mine, of_others = _told(mine, coverage), _told(others, coverage)
    named = {name.casefold() for name in _NAME.findall(question)}
    strangers = [name for name in named if not _is_known(name, speakers, split)]
    return Signals(
        coverage=of_mine.coverage,
        moment=max((float(asked_of.nearness(one.moment) == 1) for one in mine), default=0.0),
        stranger=float(bool(strangers)),
        worded_elsewhere=max(0.0, of_others.coverage - of_mine.coverage),
        meant_elsewhere=max(0.0, of_others.cosine - of_mine.cosine),
    )


class _Coverage:
    """Which share of a question's words a turn has, with the turn before it."""

    def __init__(
        self,
        asked: Iterable[str],
        texts: Mapping[int, frozenset[str]],
        before: Mapping[int, int],
    ) -> None:
        self._texts = texts
        self._before = before
        self._rarity = {
            # In one order: sums of floats depend on it.
            word: math.log(
                1 + (len(texts) + 1) / (1 + sum(word in text for text in texts.values()))
            )
            for word in sorted(asked)
        }
        self._whole = sum(self._rarity.values()) or 1.0

    def of(self, place: int) -> float:
        said = self._texts[place] | self._texts.get(self._before.get(place, -1), frozenset())
        return sum(rarity for word, rarity in self._rarity.items() if word in said) / self._whole


def _before(found: Sequence[Found]) -> dict[int, int]:
    """Return the place of the turn before each, as far as either tells of the other."""
    before: dict[int, int] = {}
    for one in found:
        if (after := one.near.get(1)) is not None:
            before[after] = one.place
        if (place := one.near.get(-1)) is not None:
            before[one.place] = place
    return before


def _told(turns: Iterable[Found], coverage: _Coverage) -> _Told:
    """Return the best of what turns tell; one that asks tells nothing."""
    telling = [one for one in turns if not one.content.rstrip().endswith("?")]
    return _Told(
        coverage=max((coverage.of(one.place) for one in telling), default=0.0),
        cosine=max((one.cosine for one in telling), default=0.0),
    )


def _is_known(name: str, speakers: set[str], texts: Mapping[int, frozenset[str]]) -> bool:
    stems = words(name)
    is_speaker = any(name in words_of for words_of in map(str.split, speakers)) or name in speakers
    return is_speaker or any(all(stem in text for stem in stems) for text in texts.values())
