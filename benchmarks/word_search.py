"""What it takes to find texts by their words, among all and among one in a hundred."""

from typing import Any, Final

from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_most

_OURS: Final = "benchmarks.contenders.timber_words"
_TANTIVY: Final = "benchmarks.contenders.tantivy_words"
_LATENCY: Final = Figure(
    unit="CPU ms per search",
    of=lambda run: run.cpu_seconds / float(run.facts["queries"]) * 1e3,
)
_COMMON: Final[dict[str, Any]] = {
    "item": "texts",
    "scale": Scale(sizes=(5_000, 15_000, 50_000), headline=50_000),
    "full_scale": Scale(sizes=(100_000, 300_000, 1_000_000), headline=1_000_000),
    "databases": ("sqlite",),
    "prepare": "benchmarks.contenders.word_data:fill",
    "expect": lambda _size: {"queries": 200, "wrong": 0, "empty": 0},
    "repetitions": 2,
    "traced": False,
}

BENCHMARKS: Final = (
    Benchmark(
        name="words in all",
        about="the ten best texts for three rare words and three that most texts have.",
        ours=f"{_OURS}:search",
        peers=(
            Peer(name="tantivy", run=f"{_TANTIVY}:search", target=at_most(6)),
            Peer(name="bm25s in memory", run="benchmarks.contenders.bm25s_words:search"),
        ),
        figures=(_LATENCY,),
        **_COMMON,
    ),
    Benchmark(
        name="words of one owner",
        about="the same in the hundredth part that belongs to one owner.",
        ours=f"{_OURS}:search_owner",
        peers=(Peer(name="tantivy, filtered", run=f"{_TANTIVY}:search_owner"),),
        figures=(_LATENCY,),
        in_full=True,
        **_COMMON,
    ),
)
