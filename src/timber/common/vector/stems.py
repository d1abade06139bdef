"""By what a text is found where its words must not be kept: stems without case and accents; pure.

They are those of FTS5's tokenizer `porter unicode61`, on both databases: Porter's algorithm for
English. Nothing of their order is told. What stands together without a blank, such as `ERR-1042`,
is one more stem. Of scripts without blanks every character and every two neighbours are taken.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Final

from timber.common.vector.numerics import needed
from timber.common.vector.words import is_dense, pairs_of, runs_of

_LONGEST_BYTES: Final = 64
"""FTS5 leaves longer words as they are."""


def stored_stems(text: str) -> list[str]:
    """Return what a text is to be found by, each as often as it occurs.

    Raises:
        FeatureUnavailableError: the library of stems is not installed.

    """
    return list(_stems(text, is_asked=False))


def asked_stems(text: str) -> list[str]:
    """Return what to look for to find a text, each once, in its order.

    Raises:
        FeatureUnavailableError: the library of stems is not installed.

    """
    return list(dict.fromkeys(_stems(text, is_asked=True)))


def _stems(text: str, *, is_asked: bool) -> Iterator[str]:
    stem = _stemmer()
    for piece in unicodedata.normalize("NFC", text).split():
        runs = runs_of(piece)
        dense = [] if piece.isascii() else [run for run in runs if is_dense(run)]
        stems = [_stem(stem, run) for run in runs if not dense or not is_dense(run)]
        if len(runs) > 1 and not dense:
            yield " ".join(stems)
        yield from stems
        for run in dense:
            yield from _of_dense(run, is_asked=is_asked)


def _of_dense(run: str, *, is_asked: bool) -> Sequence[str]:
    pairs = list(pairs_of(run))
    if is_asked:
        return pairs or [run]
    return [*pairs, *run]


def _stem(stemmer: Any, run: str) -> str:
    word = run.lower() if run.isascii() else _folded(run)
    return str(stemmer.stemWord(word)) if len(word.encode()) <= _LONGEST_BYTES else word


def _folded(run: str) -> str:
    return "".join(
        one
        for one in unicodedata.normalize("NFD", run.casefold())
        if not unicodedata.combining(one)
    )


def _stemmer() -> Any:
    # One for each call: it is cheap, and must not be shared by threads.
    module = needed("Stemmer", feature="finding encrypted texts by their words", extra="vectors")
    return module.Stemmer("porter", 0)
