"""bm25s: every score ready in a sparse matrix, in memory."""

import contextlib
from collections.abc import Iterator

import bm25s
from benchmarks.contenders.word_data import LIMIT, texts_of, trial
from benchmarks.harness.stage import Stage, Trial


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search all texts for any of the words."""
    texts = texts_of(stage)
    index = bm25s.BM25()
    index.index([text.split() for text in texts.texts], show_progress=False)

    def ask(place: int) -> list[int]:
        words = [texts.queries[place].split()]
        found, scores = index.retrieve(words, k=LIMIT, show_progress=False)
        return [int(at) for at, score in zip(found[0], scores[0], strict=True) if score > 0]

    yield trial(texts, ask, of_owner=False)
