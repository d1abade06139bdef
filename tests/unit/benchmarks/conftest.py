"""A benchmark of two contenders, small enough to read."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_most
from benchmarks.harness.stage import Stage, Trial


@contextlib.contextmanager
def count(stage: Stage) -> Iterator[Trial]:
    """Count to the size; what the work prints stays out of the answer."""
    counted: list[int] = []

    def work() -> None:
        sys.stdout.write("one, two, three")
        counted.extend(range(stage.size))

    yield Trial(work=work, check=lambda: {"counted": len(counted)})


@pytest.fixture
def benchmark_of_counting() -> Benchmark:
    here = "tests.unit.benchmarks.conftest:count"
    return Benchmark(
        name="counting",
        about="counting up.",
        item="numbers",
        ours=here,
        peers=(Peer(name="Abacus", run=here, target=at_most(2)),),
        figures=(Figure(unit="CPU s", of=lambda run: run.cpu_seconds),),
        scale=Scale(sizes=(10, 20, 40), headline=20),
        expect=lambda size: {"counted": size},
        repetitions=5,
    )


@pytest.fixture
def other_benchmark(benchmark_of_counting: Benchmark) -> Benchmark:
    return replace(benchmark_of_counting, name="counting again")
