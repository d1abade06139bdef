"""What it takes to find the nearest vectors on PostgreSQL, with and without a filter."""

from typing import Any, Final

from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_least, at_most

_OURS: Final = "benchmarks.contenders.timber_pgvector"
_BY_HAND: Final = "benchmarks.contenders.pgvector_by_hand"

_LATENCY: Final = Figure(
    unit="ms per search", of=lambda run: run.wall_seconds / float(run.facts["queries"]) * 1e3
)
_COMMON: Final[dict[str, Any]] = {
    "item": "vectors of 384",
    "scale": Scale(sizes=(1_000, 3_000, 10_000), headline=10_000),
    "full_scale": Scale(sizes=(10_000, 30_000, 100_000), headline=100_000),
    "databases": ("postgresql",),
    "prepare": "benchmarks.contenders.pgvector_data:fill",
    "repetitions": 2,
    "traced": False,
}


def _recall(least: float) -> Figure:
    return Figure(
        name="recall of 10",
        unit="of the nearest found",
        of=lambda run: float(run.facts["recall"]),
        target=at_least(least),
        compared=True,
    )


def _by_metadata(share: str, name: str) -> Benchmark:
    return Benchmark(
        name=f"PostgreSQL: nearest of {share} by metadata",
        about=f"the ten nearest of {share} that have one value in their metadata.",
        ours=f"{_OURS}:{name}",
        peers=(
            Peer(name="exact SQL by hand", run=f"{_BY_HAND}:{name}", target=at_most(1.2)),
            Peer(name="pgvector as planned", run=f"{_BY_HAND}:{name}_as_planned"),
        ),
        figures=(_LATENCY, _recall(1.0)),
        in_full=True,
        **_COMMON,
    )


BENCHMARKS: Final = (
    Benchmark(
        name="PostgreSQL: nearest of all",
        about="the ten nearest of all vectors, along pgvector's HNSW; ours with an `ef_search` of "
        "100, where pgvector's own is 40, which on the same graph finds less.",
        ours=f"{_OURS}:search",
        peers=(
            Peer(name="pgvector by hand, ef_search 100", run=f"{_BY_HAND}:search_as_broadly"),
            Peer(name="pgvector by hand, ef_search 40", run=f"{_BY_HAND}:search"),
        ),
        figures=(_LATENCY, _recall(0.95)),
        **_COMMON,
    ),
    Benchmark(
        name="PostgreSQL: nearest of one owner",
        about="the ten nearest of the hundredth part that belongs to one owner.",
        ours=f"{_OURS}:search_owner",
        peers=(
            Peer(name="exact SQL by hand", run=f"{_BY_HAND}:search_owner", target=at_most(1.2)),
            Peer(name="pgvector as planned", run=f"{_BY_HAND}:search_owner_as_planned"),
        ),
        figures=(_LATENCY, _recall(1.0)),
        **_COMMON,
    ),
    Benchmark(
        name="PostgreSQL: nearest by metadata",
        about="the ten nearest of the hundredth part that has one value in its metadata.",
        ours=f"{_OURS}:search_topic",
        peers=(
            Peer(name="exact SQL by hand", run=f"{_BY_HAND}:search_topic", target=at_most(1.2)),
            Peer(name="pgvector as planned", run=f"{_BY_HAND}:search_topic_as_planned"),
        ),
        figures=(_LATENCY, _recall(1.0)),
        **_COMMON,
    ),
    _by_metadata("0.1 %", "search_thousandth"),
    _by_metadata("10 %", "search_tenth"),
)
