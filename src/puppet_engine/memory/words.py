"""The words of texts, and how well those of some match those of a cue.

BM25 (Robertson & Zaragoza, "The Probabilistic Relevance Framework", 2009) among the texts that are
weighed: databases rank words in ways of their own, and the same life is to be lived on each.
Words count without their English endings (Porter, "Snowball", 2001).
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import compress
from types import MappingProxyType
from typing import Final

import Stemmer  # type: ignore[import-not-found] # it tells no types

SATURATION: Final = 1.2
"""`k1`: how soon a word that comes again says no more."""
LENGTH: Final = 0.3
"""`b`: how much a long text is held to have more words by chance; memories are all short."""

_TO_NOBODY: Final[Mapping[int, Collection[int]]] = MappingProxyType({})

_WORD: Final = re.compile(r"[^\W_]+")
_BLANKS: Final = {code: " " for code in range(128) if not chr(code).isalnum()}
_BETWEEN: Final = "\0"
"""Between texts that are folded at once."""
_BLANKS_BETWEEN: Final = {code: sign for code, sign in _BLANKS.items() if chr(code) != _BETWEEN}
_POSSESSIVE: Final = re.compile(r"['\u2019]s\b")
"""Of whom something is says nothing of what it is."""

_OF_QUESTIONS: Final = frozenset(
    _WORD.findall(
        "a about an and any are as at be been by can could did do does for from had has have he "
        "her him his how i in is it its me my of on or our she so some than that the their them "
        "then there they this to us was we were what when where which who whom whose why will "
        "with would you your"
    )
)
"""Words that say little of what is meant; neither does the word of a question."""

_OF_TALKS: Final = _OF_QUESTIONS | frozenset(
    _WORD.findall(
        "said answered again after all also always because before but even ever every good just "
        "like made make many more most much never not now off one only other out over really "
        "said same should since something such take tell these they thing things think those "
        "though through today too until up very want well were while yes yet"
    )
)
_SHORTEST_TELLING: Final = 4

_MOST_SHORTENED: Final = 4
"""Of how many words initialisms are looked for; a sentence has too many."""
_REMEMBERED: Final = 200_000


class _Stems(dict[str, str]):
    """The stems of words, each found once."""

    def __missing__(self, word: str) -> str:
        if len(self) > _REMEMBERED:
            self.clear()
        # One of its own each time: two threads may not share one, and it is made in a moment.
        stem: str = Stemmer.Stemmer("english", 0).stemWord(word)
        self[word] = stem
        return stem


_stems: Final = _Stems()
_stem: Final = _stems.__getitem__


def words(text: str) -> list[str]:
    """Return the words of a text, folded to lower case, without their endings."""
    return list(map(_stem, _told(text)))


def _told(text: str) -> list[str]:
    """Return the words of a text, folded to lower case."""
    folded = text.casefold()
    # Of most texts, which are plain, the same in half of the time.
    return folded.translate(_BLANKS).split() if folded.isascii() else _WORD.findall(folded)


def _told_each(texts: Sequence[str]) -> list[list[str]]:
    """Return what `_told` does of each text: of the plain ones at once, in half of the time."""
    is_plain = [text.isascii() and _BETWEEN not in text for text in texts]
    plain = _BETWEEN.join(compress(texts, is_plain)).casefold()
    told = iter(plain.translate(_BLANKS_BETWEEN).split(_BETWEEN))
    return [
        next(told).split() if plainly else _told(text)
        for text, plainly in zip(texts, is_plain, strict=True)
    ]


def searched(cue: str) -> str:
    """Return what of a cue is searched for: not what any question has, but abbreviations too.

    `artificial intelligence` is searched for as `artificial intelligence ai`.
    """
    found = _WORD.findall(_POSSESSIVE.sub("", cue.casefold()))
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


class Matching:
    """Some texts, and which of some words each of them has."""

    def __init__(self, texts: Iterable[str], wanted: Iterable[str]) -> None:
        self._having: dict[str, dict[int, int]] = {word: {} for word in wanted}
        told = _told_each(list(texts))
        self._lengths = list(map(len, told))
        # An ending is at the end: what begins otherwise need not be looked at.
        beginnings = frozenset(word[0] for word in self._having)
        known = (word for word in frozenset[str]().union(*told) if word[0] in beginnings)
        stems = {word: stem for word in known if (stem := _stem(word)) in self._having}
        meant = frozenset(stems)
        for place, one in enumerate(told):
            for word in meant.intersection(one):
                having = self._having[stems[word]]
                having[place] = having.get(place, 0) + one.count(word)

    def shares(
        self, wanted: Collection[str], lent: Mapping[int, Collection[int]] = _TO_NOBODY
    ) -> list[float]:
        """Return how well each text matches words, from 0 to 1: the best has 1.

        `lent` says to which other texts the words of a text are lent, as though they stood there.
        """
        lengths = list(self._lengths)
        for place, others in lent.items():
            for other in others:
                lengths[other] += self._lengths[place]
        usual = sum(lengths) / len(lengths) if lengths else 0
        scores = [0.0] * len(lengths)
        # In one order: sums of floats depend on it.
        for word in sorted(set(wanted)):
            having = _lent(self._having.get(word, {}), lent)
            rarity = _rarity(len(having), len(lengths)) * (SATURATION + 1)
            for place, count in having.items():
                scores[place] += rarity * count / (count + _damping(lengths[place] / usual))
        best = max(scores, default=0)
        return [score / best if best else 0.0 for score in scores]


def _lent(having: Mapping[int, int], lent: Mapping[int, Collection[int]]) -> Mapping[int, int]:
    """Return how often texts have a word, with that which others lend them."""
    if not lent:
        return having
    found = dict(having)
    for place, count in having.items():
        for other in lent.get(place, ()):
            found[other] = found.get(other, 0) + count
    return found


def _damping(length: float) -> float:
    """Return what dampens the words of a text so many times as long as usual."""
    return SATURATION * (1 - LENGTH + LENGTH * length)


def _rarity(having: int, texts: int) -> float:
    return math.log(1 + (texts - having + 0.5) / (having + 0.5))


def telling_words(text: str) -> list[str]:
    """Return the words of a text that say something of what it is about, as they stand there."""
    return [
        word
        for word in _WORD.findall(text.casefold())
        if len(word) >= _SHORTEST_TELLING and word not in _OF_TALKS
    ]
