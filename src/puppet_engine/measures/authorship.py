"""Whether a persona can be told by its words: who wrote a text, guessed from the text alone.

The usual way of authorship attribution: a logistic regression over spans of three to five
characters and over function words. It learns from the earlier texts of each persona and is asked
about later ones. Letters are taken in one case, and handles, links and hashtags left out: neither
a persona's capitals nor whom it speaks to is what gives it away.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sklearn.feature_extraction.text import (  # type: ignore[import-untyped] # as below
    ENGLISH_STOP_WORDS,
    TfidfVectorizer,
)
from sklearn.linear_model import SGDClassifier  # type: ignore[import-untyped] # it has no types
from sklearn.pipeline import make_pipeline, make_union  # type: ignore[import-untyped] # nor here

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.reading import CAST, Reading, told
from puppet_engine.style.anatomy import prose

LEAST_RIGHT: Final = 0.9
ASKED: Final = 0.25
"""Which share of the texts of each, the last ones, is asked about."""

MOST_PER_AUTHOR: Final = 600
"""So many texts of one author tell enough; they are taken evenly from all times."""

FEW: Final = 100
"""From so few texts of each, too, everybody must be told."""

FEWEST: Final = 8
"""Of fewer texts nobody can learn and be asked."""


class Authorship(Noun):
    """How often it was guessed who wrote a text."""

    readings: list[Reading]
    handles: list[str]
    guesses: list[list[int]]
    """How often a text of the one (row) was taken for the other's (column)."""


def authorship(
    texts: Mapping[str, Sequence[str]], *, crowd: Mapping[str, Sequence[str]] | None = None
) -> Authorship:
    """Guess who wrote the last texts of each handle, by what all wrote before.

    The same is asked once more with `FEW` texts of each. How often it is guessed right among a
    `crowd` is only told: many of them speak alike.
    """
    found = _guessed(texts)
    readings = list(found.readings)
    few = {handle: said[-FEW:] for handle, said in texts.items() if len(said) >= FEW}
    if few and len(few) == len(texts):
        one = _guessed(few).readings[0]
        readings.append(one.model_copy(update={"of": f"{one.of}, from {FEW} of each"}))
    if crowd:
        one = _guessed(crowd).readings[0]
        readings.append(told(one.of, one.value, count=one.count, unit="share"))
    return found.model_copy(update={"readings": readings})


def _guessed(texts: Mapping[str, Sequence[str]]) -> Authorship:
    known = {handle: _evenly(said) for handle, said in texts.items() if len(said) >= FEWEST}
    handles = sorted(known)
    if len(handles) < 2:  # noqa: PLR2004 - one author cannot be mistaken for another
        return Authorship(readings=[_right(0, 0, len(handles))], handles=handles, guesses=[])
    earlier = [(text, handle) for handle in handles for text in _parted(known[handle])[0]]
    later = [(text, handle) for handle in handles for text in _parted(known[handle])[1]]
    reader = _reader().fit([text for text, _ in earlier], [handle for _, handle in earlier])
    guessed = reader.predict([text for text, _ in later])
    counts = Counter(zip((handle for _, handle in later), map(str, guessed), strict=True))
    guesses = [[counts[one, other] for other in handles] for one in handles]
    right = sum(guesses[place][place] for place in range(len(handles)))
    each = [
        told("of one's own", row[place] / sum(row), count=sum(row), whose=handle, unit="share")
        for place, (handle, row) in enumerate(zip(handles, guesses, strict=True))
    ]
    readings = [_right(right, len(later), len(handles)), *each]
    return Authorship(readings=readings, handles=handles, guesses=guesses)


def bare(text: str) -> str:
    """Return the words of a text by which its author is told."""
    return " ".join(prose(text).split()).casefold()


def _right(right: int, asked: int, authors: int) -> Reading:
    share = right / max(1, asked)
    return Reading(
        of=f"texts told to be whose of {authors}",
        whose=CAST,
        value=share,
        line=f"above {LEAST_RIGHT:.0%}",
        holds=share > LEAST_RIGHT,
        count=asked,
        unit="share",
    )


def _evenly(said: Sequence[str]) -> list[str]:
    bared = [words for words in map(bare, said) if words]
    step = max(1, len(bared) / MOST_PER_AUTHOR)
    return [bared[int(place * step)] for place in range(int(len(bared) / step))]


def _parted(said: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    cut = len(said) - max(1, round(ASKED * len(said)))
    return said[:cut], said[cut:]


def _reader() -> Any:
    spans = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True)
    small_words = TfidfVectorizer(vocabulary=sorted(ENGLISH_STOP_WORDS), use_idf=False)
    # By stochastic gradients: as good, and in a twentieth of the time.
    regression = SGDClassifier(loss="log_loss", alpha=1e-5, random_state=0)
    return make_pipeline(make_union(spans, small_words), regression)
