import json
from collections.abc import Mapping
from dataclasses import asdict, replace

import pytest
from benchmarks.harness.benchmark import (
    OURS,
    Benchmark,
    Figure,
    Sample,
    Target,
    at_least,
    at_most,
)
from benchmarks.harness.plan import Run, groups
from benchmarks.harness.results import Result, results
from benchmarks.harness.statistics import growth, middle_half, spread


def samples_of(benchmark: Benchmark, seconds_per_item: Mapping[str, float]) -> dict[Run, Sample]:
    """Return what a machine of perfect regularity would measure, and one slow run."""
    return {
        run: Sample(
            size=run.size,
            wall_seconds=1.0,
            cpu_seconds=seconds_per_item[run.contender]
            * run.size
            * (100 if run.repetition == 1 else 1),
            resident_bytes=3 * 1024 * 1024,
            traced_bytes=2 * 1024 * 1024 if run.traced else None,
        )
        for group in groups(benchmark)
        for run in group.runs
    }


def result_of(benchmark: Benchmark, **seconds_per_item: float) -> Result:
    [told] = results(benchmark, samples_of(benchmark, seconds_per_item))
    return told


def test_a_result_compares_the_medians_of_the_headline_size(
    benchmark_of_counting: Benchmark,
) -> None:
    told = result_of(benchmark_of_counting, ours=0.3, Abacus=0.2)

    assert (told.name, told.size, told.unit) == ("counting", 20, "CPU s")
    assert (told.value, told.peer, told.peer_value) == (6.0, "Abacus", 4.0)
    assert (told.ratio, told.repetitions) == (1.5, 5)
    assert told.ratio_middle_half == (1.5, 1.5)


def test_a_machine_that_becomes_slow_changes_no_ratio(benchmark_of_counting: Benchmark) -> None:
    samples = {
        run: replace(sample, cpu_seconds=sample.cpu_seconds * 3**run.repetition)
        for run, sample in samples_of(benchmark_of_counting, {"ours": 0.3, "Abacus": 0.2}).items()
    }

    [told] = results(benchmark_of_counting, samples)

    assert told.ratio == 1.5
    assert told.ratio_middle_half == (1.5, 1.5)


def test_the_ratio_is_that_of_the_middle_turn(benchmark_of_counting: Benchmark) -> None:
    slower = {0: 1.0, 1: 1.0, 2: 1.2, 3: 4.0, 4: 9.0}
    samples = {
        run: replace(
            sample,
            cpu_seconds=2 * slower[run.repetition] if run.contender == "ours" else 1.0,
        )
        for run, sample in samples_of(benchmark_of_counting, {"ours": 1, "Abacus": 1}).items()
    }

    [told] = results(benchmark_of_counting, samples)

    assert told.ratio == 2.4
    assert told.ratio_middle_half == (2, 8)


@pytest.mark.parametrize(
    ("target", "ours", "met"),
    [
        (at_most(1.5), 0.3, True),
        (at_most(1.4), 0.3, False),
        (at_least(1.5), 0.3, True),
        (at_least(1.6), 0.3, False),
    ],
)
def test_the_target_of_a_peer_is_for_the_ratio(
    benchmark_of_counting: Benchmark, target: Target, ours: float, met: bool
) -> None:
    [peer] = benchmark_of_counting.peers
    benchmark = replace(benchmark_of_counting, peers=(replace(peer, target=target),))

    told = result_of(benchmark, ours=ours, Abacus=0.2)

    assert told.met is met


def test_the_target_of_a_figure_is_for_our_own_value(benchmark_of_counting: Benchmark) -> None:
    memory = Figure(unit="MiB", of=lambda run: run.resident_mib, target=at_most(5))
    benchmark = replace(benchmark_of_counting, peers=(), figures=(memory,))

    told = result_of(benchmark, ours=1)

    assert (told.value, told.target, told.target_is, told.met) == (3, 5, "value at most", True)
    assert (told.peer, told.ratio, told.theirs) == (None, None, None)


def test_only_the_first_figure_is_compared(benchmark_of_counting: Benchmark) -> None:
    [figure] = benchmark_of_counting.figures
    benchmark = replace(benchmark_of_counting, figures=(figure, replace(figure, name="once more")))

    told = list(results(benchmark, samples_of(benchmark, {OURS: 1, "Abacus": 1})))

    assert [(one.name, one.peer) for one in told] == [
        ("counting", "Abacus"),
        ("counting, once more", None),
    ]


def test_each_database_has_results_of_its_own(benchmark_of_counting: Benchmark) -> None:
    benchmark = replace(benchmark_of_counting, databases=("sqlite", "postgresql"))

    told = list(results(benchmark, samples_of(benchmark, {OURS: 1, "Abacus": 1})))

    assert [one.name for one in told] == ["counting, SQLite", "counting, PostgreSQL"]


def test_a_result_shows_the_cost_at_every_size_and_the_memory(
    benchmark_of_counting: Benchmark,
) -> None:
    told = result_of(benchmark_of_counting, ours=0.5, Abacus=1)

    assert told.ours.sizes == {"10": 5.0, "20": 10.0, "40": 20.0}
    assert told.ours.growth == pytest.approx(1.0)
    assert (told.ours.resident_mib, told.ours.python_mib) == (3, 2)
    assert told.theirs is not None
    assert told.theirs.cpu_seconds == 20


def test_results_are_written_as_plain_json(benchmark_of_counting: Benchmark) -> None:
    written = json.loads(json.dumps(asdict(result_of(benchmark_of_counting, ours=1, Abacus=1))))

    fields = {"name", "value", "unit", "peer", "peer_value", "ratio", "target", "met"}
    assert fields <= written.keys()


def test_one_slow_run_moves_neither_the_spread_nor_the_middle_half() -> None:
    assert spread([1, 1, 1, 1, 100]) == 0
    assert middle_half([1, 1, 1, 1, 100]) == (1, 1)
    assert middle_half([7]) == (7, 7)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_growth_finds_the_power_of_the_size(power: float) -> None:
    assert growth({size: 3 * size**power for size in (10, 100, 400)}) == pytest.approx(power)
    assert growth({10: 3.0}) is None
