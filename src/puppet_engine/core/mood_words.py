"""The moods that have a name, and where they lie."""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

Place = tuple[float, float]
"""Valence and arousal, each from -1 to 1."""


@cache
def mood_words() -> Mapping[str, Place]:
    """Return where each mood lies that the packaged lexicon knows, by its word."""
    table = tomllib.loads((files("puppet_engine.core") / "mood_words.toml").read_text("utf-8"))
    return {word: (valence, arousal) for word, (valence, arousal) in table.items()}


def place_of(mood: str) -> Place | None:
    """Return where a mood lies: `weary`, or `quietly pleased`, whose last known word decides."""
    known = mood_words()
    words = re.findall(r"[^\W\d_]+", mood.lower())
    return next((known[word] for word in reversed(words) if word in known), None)


def require_place(mood: str) -> str:
    """Return the mood as it is, if it lies anywhere.

    Raises:
        ValueError: no word of it is known; says how to give its place.

    """
    if place_of(mood) is not None:
        return mood
    near = get_close_matches(mood.lower(), mood_words(), n=1)
    hint = f"did you mean {near[0]!r}? Else " if near else ""
    raise ValueError(
        f"nobody knows how the mood {mood!r} feels: {hint}say it, as in "
        f'{{"name": "{mood}", "valence": 0.4, "arousal": -0.2}}'
    )
