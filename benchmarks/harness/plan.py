"""The order of the runs: contenders take turns, so that a busy minute falls on all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.harness.benchmark import OURS, Benchmark, DatabaseKind

_ELSEWHERE: Final = 3
"""How often, in full, a size is run that only shows how the cost grows."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of one contender."""

    contender: str
    database: DatabaseKind | None
    size: int
    repetition: int
    traced: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs that share a size and a kind of database, in the order in which they happen."""

    database: DatabaseKind | None
    size: int
    runs: tuple[Run, ...]


def groups(benchmark: Benchmark, *, full: bool = False) -> Iterator[Group]:
    """Yield every run of a benchmark."""
    scale = benchmark.scale_of(full=full)
    for database in benchmark.databases or (None,):
        for size in scale.sizes:
            runs = _runs(benchmark, database, size, told=size == scale.headline, full=full)
            yield Group(database=database, size=size, runs=tuple(runs))


def _runs(
    benchmark: Benchmark, database: DatabaseKind | None, size: int, *, told: bool, full: bool
) -> Iterator[Run]:
    names = tuple(benchmark.contenders)
    repetitions = benchmark.repetitions
    if not told and not full:
        # How our own cost grows must be seen every day; how the peers' does, in full.
        names, repetitions = (OURS,), 1
    for turn in range(repetitions if told else min(repetitions, _ELSEWHERE)):
        # Who begins changes with every turn.
        first = turn % len(names)
        for name in (*names[first:], *names[:first]):
            yield Run(contender=name, database=database, size=size, repetition=turn)
    if told and benchmark.traced:
        for name in names:
            yield Run(contender=name, database=database, size=size, repetition=0, traced=True)
