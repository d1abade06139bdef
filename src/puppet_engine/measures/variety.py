"""How varied somebody's words are: distinct n-grams, self-BLEU, templates, and how well they pack.

Self-BLEU takes each text for a translation of all others: Zhu and others, "Texygen: A Benchmarking
Platform for Text Generation Models" (SIGIR 2018); BLEU-4 as Papineni and others have it (ACL
2002). It grows with the number of texts, so it is taken of `COMPARED` of them at the most.
A template is what is left of a sentence without the words that carry meaning.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import exp, log, log2
from statistics import fmean
from typing import Final

from sklearn.feature_extraction.text import (  # type: ignore[import-untyped] # it has no types
    ENGLISH_STOP_WORDS,
)

from puppet_engine.measures.reading import Reading, told
from puppet_engine.style.repetition import print_of
from puppet_engine.style.threads import sentences

COMPARED: Final = 200

_LONGEST_GRAM: Final = 3
_BLEU: Final = 4
_UNSEEN: Final = 0.1
"""What counts for no shared n-gram at all: of nothing there is no logarithm."""

Gram = tuple[str, ...]


def variety(handle: str, said: Sequence[str]) -> Iterator[Reading]:
    """Yield what is told of how varied the texts of a handle are; there is no line for it."""
    for size in range(1, _LONGEST_GRAM + 1):
        count = sum(max(0, len(print_of(text).words) - size + 1) for text in said)
        share = distinct(said, size)
        yield told(f"distinct {size}-grams", share, count=count, whose=handle, unit="share")
    compared = evenly(said, COMPARED)
    bleu = self_bleu(compared)
    yield told(f"self-BLEU of {COMPARED} texts", bleu, count=len(compared), whose=handle)
    yield told("evenness of templates", template_evenness(said), count=len(said), whose=handle)
    length = len(_together(said))
    yield told("compression ratio", compression_ratio(said), count=length, whose=handle)


def evenly(said: Sequence[str], count: int) -> list[str]:
    """Return so many texts, taken evenly from all times; all, where there are no more."""
    step = max(1.0, len(said) / count)
    return [said[int(at * step)] for at in range(int(len(said) / step))]


def distinct(said: Sequence[str], size: int) -> float:
    """Return how many of the n-grams of so many words are different ones, as a share."""
    grams = [gram for text in said for gram in _grams(print_of(text).words, size)]
    return len(set(grams)) / max(1, len(grams))


def compression_ratio(said: Sequence[str]) -> float:
    """Return how many times shorter the texts are when they are packed (zlib, 9)."""
    whole = _together(said)
    return len(whole) / max(1, len(zlib.compress(whole, 9)))


def commonest_opening(said: Sequence[str]) -> tuple[Gram, int]:
    """Return the first words that texts begin with most often, and how often they do."""
    counts = Counter(print_of(text).opening for text in said)
    return counts.most_common(1)[0] if counts else ((), 0)


def _together(said: Sequence[str]) -> bytes:
    return "\n".join(said).encode()


def self_bleu(said: Sequence[str]) -> float:
    """Return the mean BLEU-4 of each text beside the others, 0 to 1: 1 when all say the same."""
    words = [print_of(text).words for text in said]
    words = [one for one in words if len(one) >= _BLEU]
    if len(words) < 2:  # noqa: PLR2004 - a text and another
        return 0.0
    counts = [[Counter(_grams(one, size + 1)) for one in words] for size in range(_BLEU)]
    most = [_two_most(each) for each in counts]
    lengths = sorted(map(len, words))
    return fmean(
        _brevity(len(one), lengths)
        * exp(
            fmean(log(_precision(counts[size][place], most[size], place)) for size in range(_BLEU))
        )
        for place, one in enumerate(words)
    )


def template_evenness(said: Sequence[str]) -> float:
    """Return the entropy of sentences' templates, of what it could be, 0 to 1: 0 for one only."""
    templates = Counter(_template(one) for text in said for one in sentences(text))
    total = templates.total()
    if total < 2:  # noqa: PLR2004 - one sentence is of one template
        return 0.0
    entropy = -sum(count / total * log2(count / total) for count in templates.values())
    return max(0.0, entropy / log2(total))


def _template(sentence: str) -> Gram:
    found: list[str] = []
    for word in print_of(sentence).words:
        part = word if word in ENGLISH_STOP_WORDS else "_"
        if part != "_" or found[-1:] != ["_"]:
            found.append(part)
    return tuple(found)


def _grams(words: Sequence[str], size: int) -> list[Gram]:
    return [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]


def _two_most(counts: Sequence[Counter[Gram]]) -> dict[Gram, tuple[int, int, int]]:
    """Return in which text each n-gram occurs most, how often, and how often in the next one."""
    found: defaultdict[Gram, tuple[int, int, int]] = defaultdict(lambda: (-1, 0, 0))
    for place, one in enumerate(counts):
        for gram, count in one.items():
            first, most, second = found[gram]
            if count > most:
                found[gram] = (place, count, most)
            elif count > second:
                found[gram] = (first, most, count)
    return found


def _precision(own: Counter[Gram], most: dict[Gram, tuple[int, int, int]], place: int) -> float:
    shared = 0
    for gram, count in own.items():
        first, greatest, second = most[gram]
        shared += min(count, second if first == place else greatest)
    return max(shared, _UNSEEN) / own.total()


def _brevity(length: int, lengths: Sequence[int]) -> float:
    """Return the penalty for a text shorter than the other that is nearest to it in length."""
    others = list(lengths)
    others.remove(length)
    nearest = min(others, key=lambda other: (abs(other - length), other))
    return min(1.0, exp(1 - nearest / length))
