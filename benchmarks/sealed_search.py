"""What it costs that texts which are found are encrypted: beside the same texts in clear."""

from collections.abc import Callable
from typing import Any, Final

from benchmarks.contenders.word_data import QUERIES
from benchmarks.harness.benchmark import Benchmark, Figure, Sample, Scale

_OURS: Final = "benchmarks.contenders.sealed_papers"


def _cpu(twin: str, run: Sample) -> float:
    return float(run.facts[f"{twin} CPU seconds"])


def _figures(unit: str, scale: Callable[[Sample], float]) -> tuple[Figure, ...]:
    return (
        Figure(unit=unit, of=lambda run: _cpu("sealed", run) * scale(run)),
        Figure(
            name="the same in clear", unit=unit, of=lambda run: _cpu("clear", run) * scale(run)
        ),
        Figure(
            name="encrypted by clear",
            unit="times the CPU",
            of=lambda run: _cpu("sealed", run) / _cpu("clear", run),
        ),
    )


_COMMON: Final[dict[str, Any]] = {
    "expect": lambda size: {"vectors": 2 * size, "sealed": size},
    "scale": Scale(sizes=(100, 300, 1_000), headline=1_000),
    "databases": ("sqlite", "postgresql"),
    "repetitions": 2,
    "traced": False,
}

BENCHMARKS: Final = (
    Benchmark(
        name="encrypted rows taken in",
        about="storing rows of thirty words until each has its pieces, its words and its vector, "
        "whatever it costs to embed them.",
        item="rows",
        ours=f"{_OURS}:take_in",
        figures=_figures("CPU µs a row", lambda run: 1e6 / run.size),
        in_full=True,
        **_COMMON,
    ),
    Benchmark(
        name="encrypted texts found",
        about="the ten best by meaning and by six words together, opened.",
        item="texts",
        ours=f"{_OURS}:search",
        figures=_figures("CPU ms per search", lambda _run: 1e3 / QUERIES),
        in_full=True,
        **_COMMON,
    ),
)
