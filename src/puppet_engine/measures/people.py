"""How varied the texts of a cast are beside posts of people.

`people.toml` has the figures of people; `scripts/people.py` took them, and the file says of what.
They are of many people, none of whom wrote two posts for this: so they are what a whole town is
like, and there is no line for one persona. Each figure depends on how many texts it is taken
of, so both are of as many.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.variety import (
    COMPARED,
    commonest_opening,
    compression_ratio,
    distinct,
    evenly,
    self_bleu,
    template_evenness,
)

FIGURES: Final[Mapping[str, Callable[[Sequence[str]], float]]] = {
    "distinct words": lambda said: distinct(said, 1),
    "distinct pairs of words": lambda said: distinct(said, 2),
    "distinct runs of three words": lambda said: distinct(said, 3),
    "self-BLEU": self_bleu,
    "evenness of templates": template_evenness,
    "compression ratio": compression_ratio,
    "share of the commonest opening": lambda said: commonest_opening(said)[1] / len(said),
}
"""What is taken of `COMPARED` texts."""


class Beside(Noun):
    """One figure of people, and of each persona."""

    of: str
    people: float
    """Of groups of posts, the mean …"""
    people_least: float
    people_most: float
    """… and how far they lie apart."""
    personas: dict[str, float]
    """By handle."""


def beside_people(texts: Mapping[str, Sequence[str]]) -> list[Beside]:
    """Return each figure of people, beside those of who said enough."""
    said = {
        handle: evenly(some, COMPARED) for handle, some in texts.items() if len(some) >= COMPARED
    }
    return [
        Beside(
            of=name,
            people=of_people["mean"],
            people_least=of_people["least"],
            people_most=of_people["most"],
            personas={handle: round(FIGURES[name](some), 4) for handle, some in said.items()},
        )
        for name, of_people in _people().items()
        if said
    ]


@cache
def _people() -> Mapping[str, Mapping[str, float]]:
    source = files("puppet_engine.measures") / "people.toml"
    found: Mapping[str, Mapping[str, float]] = tomllib.loads(source.read_text("utf-8"))["figures"]
    return found
