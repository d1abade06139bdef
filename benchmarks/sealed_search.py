"""What it costs that texts which are found are encrypted: beside the same rows in clear."""

from typing import Any, Final

from benchmarks.contenders.word_data import QUERIES
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale

_OURS: Final = "benchmarks.contenders.sealed_papers"
_COMMON: Final[dict[str, Any]] = {
    "databases": ("sqlite", "postgresql"),
    "repetitions": 3,
    "traced": False,
}

BENCHMARKS: Final = (
    Benchmark(
        name="encrypted rows taken in",
        about="storing rows of thirty words until each has its pieces, its words and its vector, "
        "whatever it costs to embed them.",
        item="rows",
        ours=f"{_OURS}:take_in_sealed",
        peers=(Peer(name="the same in clear", run=f"{_OURS}:take_in_clear"),),
        figures=(
            Figure(
                unit="CPU µs a row",
                of=lambda run: run.cpu_seconds / run.size * 1e6,
            ),
        ),
        expect=lambda size: {"vectors": size, "as meant": 1},
        scale=Scale(sizes=(300, 1_000, 3_000), headline=3_000),
        **_COMMON,
    ),
    Benchmark(
        name="encrypted texts found",
        about="the ten best by meaning and by six words together, opened.",
        item="texts",
        ours=f"{_OURS}:search_sealed",
        peers=(Peer(name="the same in clear", run=f"{_OURS}:search_clear"),),
        figures=(
            Figure(
                unit="CPU ms per search",
                of=lambda run: run.cpu_seconds / float(run.facts["queries"]) * 1e3,
            ),
        ),
        expect=lambda size: {
            "queries": QUERIES,
            "results": 10 * QUERIES,
            "vectors": size,
            "as meant": 1,
        },
        scale=Scale(sizes=(300, 1_000, 3_000), headline=3_000),
        full_scale=Scale(sizes=(1_000, 10_000, 30_000), headline=30_000),
        **_COMMON,
    ),
)
