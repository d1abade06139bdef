"""Timber: whether its search finds what was asked for, by each leg alone and by both."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

from benchmarks.contenders.corpora import Pairs, pairs_of
from benchmarks.harness.stage import Stage, Trial

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

_SOURCE: Final = "texts"
_MOST: Final = 100
_FIRST: Final = 10
_QUESTIONS: Final = 150
_LEGS: Final[Mapping[str, Mapping[str, float] | None]] = {
    "dense": {"dense": 1.0},
    "text": {"text": 1.0},
    "both": None,
}
"""By which weights is searched; None: by those that a search has when nobody names any."""


def news(stage: Stage) -> contextlib.AbstractContextManager[Trial]:
    """Search news by names."""
    return _searching(stage, "news")


def glosses(stage: Stage) -> contextlib.AbstractContextManager[Trial]:
    """Search what words mean by sentences that have them."""
    return _searching(stage, "glosses")


def functions(stage: Stage) -> contextlib.AbstractContextManager[Trial]:
    """Search functions by identifiers."""
    return _searching(stage, "functions")


def news_by_table(stage: Stage) -> contextlib.AbstractContextManager[Trial]:
    """Search news by names, with the static table."""
    return _searching(stage, "news", embedder="static")


def glosses_by_table(stage: Stage) -> contextlib.AbstractContextManager[Trial]:
    """Search what words mean by sentences that have them, with the static table."""
    return _searching(stage, "glosses", embedder="static")


def functions_by_table(stage: Stage) -> contextlib.AbstractContextManager[Trial]:
    """Search functions by identifiers, with the static table."""
    return _searching(stage, "functions", embedder="static")


@contextlib.contextmanager
def _searching(stage: Stage, corpus: str, *, embedder: str = "minilm") -> Iterator[Trial]:
    pairs = pairs_of(corpus, stage.size)
    settings = TimberSettings(
        database_url=stage.database_url, packaged_models=False, embedder=embedder
    )
    with Timber().opened(settings) as timber:
        timber.vector_ingestion.ingest_documents_batch(
            [
                {"content": document, "source_type": _SOURCE, "source_id": str(number)}
                for number, (document, _) in enumerate(pairs)
            ]
        )
        facts: dict[str, str | int | float] = {}
        yield Trial(work=lambda: facts.update(_measured(timber, pairs)), check=lambda: facts)


def _measured(timber: Timber, pairs: Pairs) -> dict[str, float]:
    found: dict[str, float] = {}
    for leg, weights in _LEGS.items():
        ranks = [
            _rank(timber, question, str(number), weights)
            for number, (_, question) in enumerate(pairs[:_QUESTIONS])
        ]
        found[f"{leg} mrr"] = sum(1 / rank for rank in ranks if rank) / len(ranks)
        found[f"{leg} recall"] = sum(0 < rank <= _FIRST for rank in ranks) / len(ranks)
    return found


def _rank(
    timber: Timber, question: str, source_id: str, weights: Mapping[str, float] | None
) -> int:
    """Return at which place the answer is; 0 when it is not there."""
    results = timber.vector_search.search(question, _SOURCE, limit=_MOST, weights=weights)
    places = {one["source_id"]: place for place, one in enumerate(results, start=1)}
    return places.get(source_id, 0)
