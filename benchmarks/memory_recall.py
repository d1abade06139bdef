"""What it takes an agent with very many memories to keep one more, and to recall some."""

from collections.abc import Callable
from typing import Final

from benchmarks.harness.benchmark import Benchmark, Figure, Sample, Scale, at_most

_OURS: Final = "benchmarks.contenders.remembered"


def _beyond_embedding(share: int, of: str = "") -> Callable[[Sample], float]:
    def figure(run: Sample) -> float:
        return float(run.facts[f"recall{of} p{share}"]) - float(run.facts[f"embed{of} p{share}"])

    return figure


def _fact(name: str) -> Callable[[Sample], float]:
    return lambda run: float(run.facts[name])


BENCHMARKS: Final = (
    Benchmark(
        name="memories of one agent",
        about="recalling ten of all memories of one agent, by meaning, words, people and times, "
        "with the talks around them, without what embedding the question takes; and keeping one, "
        "committed, fifty in a second, while a thread embeds: vectors follow. Of 200 questions, "
        "no two alike, and 300 memories; what they take of a processor is that of the process, "
        "with its threads, and of the server's processes.",
        item="memories",
        ours=f"{_OURS}:live",
        prepare=f"{_OURS}:fill",
        figures=(
            Figure(name="recall p95", unit="ms", of=_beyond_embedding(95), target=at_most(10)),
            Figure(name="recall p50", unit="ms", of=_beyond_embedding(50)),
            Figure(name="recall CPU p95", unit="ms", of=_beyond_embedding(95, " CPU")),
            Figure(name="write p95", unit="ms", of=_fact("write p95"), target=at_most(5)),
            Figure(name="write p50", unit="ms", of=_fact("write p50")),
            Figure(name="write CPU p95", unit="ms", of=_fact("write CPU p95")),
            Figure(name="recall right after a write p95", unit="ms", of=_fact("at once p95")),
        ),
        scale=Scale(sizes=(1_000, 10_000, 100_000), headline=100_000),
        databases=("sqlite", "postgresql"),
        expect=lambda _size: {"written": 300, "asked": 200},
        in_full=True,
        repetitions=3,
        traced=False,
    ),
)
