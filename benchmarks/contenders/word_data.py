"""Texts of thirty words, drawn as words are: the more common ones far more often.

One in a hundred belongs to each owner.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.harness.stage import Facts, Stage, Trial
from sqlalchemy import make_url

LIMIT: Final = 10
QUERIES: Final = 200
OWNERS: Final = 100

_WORDS: Final = 30_000
_LENGTH: Final = 30
_COMMON: Final = 50
_RARE_FROM: Final = 500


@dataclass(frozen=True)
class Texts:
    """What lies in the folder of a size."""

    folder: Path
    texts: Sequence[str]
    """Text n belongs to owner n % OWNERS."""
    queries: Sequence[str]


def drawn(size: int) -> tuple[list[str], list[str]]:
    """Return that many texts, and the queries; the same ones every time."""
    chance = Random(7)  # noqa: S311 - data, not secrets
    words = [_word(number) for number in range(_WORDS)]
    weights = list(accumulate(1 / (rank + 1) for rank in range(_WORDS)))
    texts = [" ".join(chance.choices(words, cum_weights=weights, k=_LENGTH)) for _ in range(size)]
    common, rare = words[:_COMMON], words[_RARE_FROM:]

    def query(place: int) -> str:
        of_owner = {word for text in texts[place % OWNERS :: OWNERS] for word in text.split()}
        # One that the owner has, so that every search finds something, however few the texts.
        known = chance.choice(sorted(of_owner.intersection(rare)))
        return " ".join([*chance.sample(common, 3), *chance.sample(rare, 2), known])

    return texts, [query(place) for place in range(QUERIES)]


@contextlib.contextmanager
def fill(stage: Stage) -> Iterator[Trial]:
    """Write the texts of a size, for all runs."""

    def work() -> None:
        path = folder_of(stage) / "texts.json"
        path.write_text(json.dumps(drawn(stage.size)), encoding="utf-8")

    yield Trial(work=work, check=lambda: {"texts": stage.size})


def folder_of(stage: Stage) -> Path:
    """Return the folder that all runs of a size share."""
    return Path(str(make_url(stage.database_url).database)).parent


def texts_of(stage: Stage) -> Texts:
    """Return what `fill` wrote."""
    folder = folder_of(stage)
    return Texts(folder, *json.loads((folder / "texts.json").read_text(encoding="utf-8")))


def trial(texts: Texts, search: Callable[[int], Sequence[int]], *, of_owner: bool) -> Trial:
    """Return the trial of a search that takes a query's place and returns places of texts.

    It is warm: every query was asked before.
    """
    found: list[Sequence[int]] = []
    for place in range(QUERIES):
        search(place)

    def work() -> None:
        found.extend([search(place) for place in range(QUERIES)])

    def is_right(place: int, at: int) -> bool:
        words = set(texts.queries[place].split())
        is_owners = not of_owner or at % OWNERS == place % OWNERS
        return is_owners and not words.isdisjoint(texts.texts[at].split())

    def check() -> Facts:
        wrong = sum(not is_right(place, at) for place, some in enumerate(found) for at in some)
        return {"queries": len(found), "wrong": wrong, "empty": sum(not some for some in found)}

    return Trial(work=work, check=check)


def _word(number: int) -> str:
    """Return a word that no stemmer knows an ending of."""
    letters = "bcdfghjklmnpqrtvwxz"
    word = ""
    while number or not word:
        number, letter = divmod(number, len(letters))
        word += letters[letter] + "o"
    return word + "q"
