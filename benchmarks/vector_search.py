"""What it takes to find the nearest vectors, among all and among one in a hundred."""

from typing import Any, Final

from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Sample, Scale, at_least, at_most

_SCALE: Final = Scale(sizes=(1_000, 10_000, 100_000), headline=100_000)
_SMALLER: Final = Scale(sizes=(1_000, 10_000, 30_000), headline=30_000)
_FULL: Final = Scale(sizes=(10_000, 100_000, 1_000_000), headline=1_000_000)
_OURS: Final = "benchmarks.contenders.timber_vectors"
_SQLITE_VEC: Final = "benchmarks.contenders.sqlite_vec_vectors"
_CHROMADB: Final = "benchmarks.contenders.chromadb_vectors"


def _milliseconds(run: Sample) -> float:
    return run.cpu_seconds / float(run.facts["queries"]) * 1e3


_LATENCY: Final = Figure(unit="CPU ms per search", of=_milliseconds)
_RECALL: Final = Figure(
    name="recall of 10",
    unit="of the nearest found",
    of=lambda run: float(run.facts["recall"]),
    target=at_least(0.99),
    compared=True,
)
_MEMORY: Final = Figure(
    name="memory", unit="MiB of vectors", of=lambda run: float(run.facts["memory_mib"])
)
_COMMON: Final[dict[str, Any]] = {
    "item": "vectors of 384",
    "scale": _SCALE,
    "full_scale": _FULL,
    "databases": ("sqlite",),
    "prepare": "benchmarks.contenders.vector_data:fill",
    "repetitions": 2,
    "traced": False,
}

_FEW: Final[dict[str, Any]] = {
    "scale": Scale(sizes=(1_000, 3_000, 10_000), headline=10_000),
    "full_scale": Scale(sizes=(10_000, 30_000, 100_000), headline=100_000),
}

BENCHMARKS: Final = (
    Benchmark(
        name="nearest of all",
        about="the ten nearest of all vectors, warm; ours come from rows of SQLite.",
        ours=f"{_OURS}:search",
        peers=(
            Peer(name="sqlite-vec", run=f"{_SQLITE_VEC}:search", target=at_most(1 / 5)),
            Peer(
                name="NumPy",
                run="benchmarks.contenders.numpy_vectors:search",
                target=at_most(1 / 1.5),
            ),
            Peer(
                name="faiss IndexFlatIP",
                run="benchmarks.contenders.faiss_vectors:search",
                target=at_most(1 / 2.5),
            ),
            Peer(name="usearch HNSW", run="benchmarks.contenders.usearch_vectors:search"),
        ),
        figures=(_LATENCY, _RECALL, _MEMORY),
        **_COMMON,
    ),
    Benchmark(
        name="nearest, float32 alone",
        about="the same in one pass over the vectors as they are, beside merely reading them.",
        ours=f"{_OURS}:one_pass",
        peers=(
            Peer(
                name="reading the memory",
                run="benchmarks.contenders.numpy_vectors:read",
                target=at_most(1 / 0.7),
            ),
        ),
        figures=(
            _LATENCY,
            Figure(
                name="rate",
                unit="GB read per CPU second",
                of=lambda run: run.size * 384 * 4 / _milliseconds(run) / 1e6,
            ),
        ),
        expect=lambda _size: {"queries": 200, "recall": 1.0},
        **_COMMON,
    ),
    Benchmark(
        name="nearest of one owner",
        about="the ten nearest of the hundredth part that belongs to one owner, warm: it was "
        "asked for just before, as by an agent who thinks of several things.",
        ours=f"{_OURS}:search_owner",
        peers=(
            Peer(
                name="sqlite-vec, partition key",
                run=f"{_SQLITE_VEC}:search_owner",
                target=at_most(1 / 10),
            ),
            Peer(
                name="NumPy, without a database",
                run="benchmarks.contenders.numpy_vectors:search_owner",
            ),
        ),
        figures=(_LATENCY, _RECALL),
        **_COMMON,
    ),
    Benchmark(
        name="nearest of another owner each time",
        about="the same of one owner after the other: in the memory of the process, and in that "
        "of no processor.",
        ours=f"{_OURS}:search_owners",
        peers=(
            Peer(name="sqlite-vec, partition key", run=f"{_SQLITE_VEC}:search_owners"),
            Peer(
                name="NumPy, without a database",
                run="benchmarks.contenders.numpy_vectors:search_owners",
            ),
        ),
        figures=(_LATENCY, _RECALL),
        **_COMMON,
    ),
    Benchmark(
        name="nearest by metadata",
        about="the ten nearest of the hundredth part that has one value in its metadata.",
        ours=f"{_OURS}:search_topic",
        peers=(Peer(name="sqlite-vec, metadata column", run=f"{_SQLITE_VEC}:search_topic"),),
        figures=(_LATENCY, _RECALL),
        **{**_COMMON, "scale": _SMALLER},  # to fill theirs takes long
    ),
    Benchmark(
        name="nearest of all, beside chromadb",
        about="the ten nearest of all vectors, in fewer of them: to fill chromadb takes long.",
        ours=f"{_OURS}:search",
        peers=(Peer(name="chromadb", run=f"{_CHROMADB}:search"),),
        figures=(_LATENCY, _RECALL),
        **{**_COMMON, **_FEW},
    ),
    Benchmark(
        name="nearest by metadata, beside chromadb",
        about="the same among the hundredth part that has one value in its metadata.",
        ours=f"{_OURS}:search_topic",
        peers=(Peer(name="chromadb", run=f"{_CHROMADB}:search_owner"),),
        figures=(_LATENCY, _RECALL),
        **{**_COMMON, **_FEW},
    ),
    Benchmark(
        name="first search",
        about="the first search of a process, which reads all vectors from SQLite.",
        ours=f"{_OURS}:first_search",
        figures=(Figure(unit="CPU s", of=lambda run: run.cpu_seconds),),
        expect=lambda _size: {"right": 1},
        **_COMMON,
    ),
)
