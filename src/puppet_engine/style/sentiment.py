"""How a text feels: from a lexicon, offline, the same each time."""

import re
from functools import cache
from typing import Any, Final

from vaderSentiment.vaderSentiment import (  # type: ignore[import-untyped] # see `valence_of`
    SentimentIntensityAnalyzer,
)

LOUDEST: Final = 4
"""So many exclamation marks, or words in capitals, are as loud as a text can be."""

_LOUD: Final = re.compile(r"!|\b[^\W\d_a-zß-ÿ]{3,}\b")
_NO_WORDS: Final = re.compile(r"https?://\S+|[@#]\w+")


def valence_of(text: str) -> float:
    """Return how glad a text is, from -1 to 1; 0 when the lexicon knows none of its words.

    This is the compound score of VADER: C. J. Hutto and E. Gilbert, "VADER: A Parsimonious
    Rule-based Model for Sentiment Analysis of Social Media Text" (ICWSM 2014).
    Its lexicon is English. Handles, hashtags and addresses are no words.
    """
    score: dict[str, float] = _analyzer().polarity_scores(_NO_WORDS.sub(" ", text))
    return score["compound"]


def loudness_of(text: str) -> float:
    """Return how loud a text is, from 0 to 1, by its exclamation marks and capitals."""
    return min(len(_LOUD.findall(_NO_WORDS.sub(" ", text))), LOUDEST) / LOUDEST


@cache
def _analyzer() -> Any:
    return SentimentIntensityAnalyzer()
