from collections import Counter
from dataclasses import replace

from benchmarks.harness.benchmark import OURS, Benchmark, Scale
from benchmarks.harness.plan import groups


def test_contenders_take_turns_and_take_turns_in_beginning(
    benchmark_of_counting: Benchmark,
) -> None:
    [headline] = [group for group in groups(benchmark_of_counting) if group.size == 20]
    order = [run.contender for run in headline.runs if not run.traced]

    assert order[:4] == [OURS, "Abacus", "Abacus", OURS]
    assert Counter(order) == {OURS: 5, "Abacus": 5}


def test_every_size_is_run_on_every_database(benchmark_of_counting: Benchmark) -> None:
    benchmark = replace(benchmark_of_counting, databases=("sqlite", "postgresql"))

    planned = [(group.database, group.size) for group in groups(benchmark)]

    assert planned == [
        *(("sqlite", size) for size in (10, 20, 40)),
        *(("postgresql", size) for size in (10, 20, 40)),
    ]


def test_memory_is_traced_apart_from_the_runs_that_are_timed(
    benchmark_of_counting: Benchmark,
) -> None:
    traced = [run for group in groups(benchmark_of_counting) for run in group.runs if run.traced]

    assert [(run.contender, run.size) for run in traced] == [(OURS, 20), ("Abacus", 20)]


def test_the_full_scale_is_measured_only_when_asked_for(benchmark_of_counting: Benchmark) -> None:
    benchmark = replace(benchmark_of_counting, full_scale=Scale(sizes=(1_000,), headline=1_000))

    assert {group.size for group in groups(benchmark)} == {10, 20, 40}
    assert {group.size for group in groups(benchmark, full=True)} == {1_000}


def test_a_size_that_only_shows_growth_is_run_less_often(benchmark_of_counting: Benchmark) -> None:
    def repetitions(*, full: bool) -> dict[int, int]:
        return {
            group.size: len({run.repetition for run in group.runs})
            for group in groups(benchmark_of_counting, full=full)
        }

    assert repetitions(full=False) == {10: 1, 20: 5, 40: 1}
    assert repetitions(full=True) == {10: 3, 20: 5, 40: 3}


def test_how_the_cost_of_peers_grows_is_measured_in_full(benchmark_of_counting: Benchmark) -> None:
    def contenders(*, full: bool) -> dict[int, set[str]]:
        return {
            group.size: {run.contender for run in group.runs}
            for group in groups(benchmark_of_counting, full=full)
        }

    assert contenders(full=False) == {10: {OURS}, 20: {OURS, "Abacus"}, 40: {OURS}}
    assert contenders(full=True) == {size: {OURS, "Abacus"} for size in (10, 20, 40)}
