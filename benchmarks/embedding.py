"""What it takes to turn texts into vectors, by the packaged model and by the static table."""

from typing import Any, Final

from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Sample, Scale, at_most

_OURS: Final = "benchmarks.contenders.timber_embedders"


def _milliseconds(run: Sample) -> float:
    return run.cpu_seconds / run.size * 1e3


_FIGURES: Final = (
    Figure(unit="CPU ms per text", of=_milliseconds),
    Figure(name="rate", unit="texts per CPU second", of=lambda run: run.size / run.cpu_seconds),
    Figure(name="memory", unit="MiB beyond the model", of=lambda run: run.resident_mib),
)
_COMMON: Final[dict[str, Any]] = {
    "item": "texts",
    "databases": ("sqlite",),
    "repetitions": 2,
    "traced": False,
    "figures": _FIGURES,
}

BENCHMARKS: Final = (
    Benchmark(
        name="embedding by MiniLM",
        about="paragraphs of Python's reference to vectors, by one thread, once it is loaded.",
        ours=f"{_OURS}:minilm",
        peers=(
            Peer(
                name="onnxruntime by hand",
                run="benchmarks.contenders.onnxruntime_minilm:minilm",
                # 0.95 of its rate
                target=at_most(1 / 0.95),
            ),
            Peer(name="fastembed", run="benchmarks.contenders.fastembed_minilm:minilm"),
        ),
        scale=Scale(sizes=(4, 12, 36), headline=36),
        prepare=f"{_OURS}:lay_out",
        expect=lambda size: {"texts": size, "alike": size},
        **_COMMON,
    ),
    Benchmark(
        name="embedding by the static table",
        about="the same by the table of the embedder `static`.",
        ours=f"{_OURS}:table",
        scale=Scale(sizes=(200, 600, 1800), headline=1800),
        expect=lambda size: {"texts": size},
        **_COMMON,
    ),
)
