import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.harness.__main__ import measured
from benchmarks.harness.benchmark import Benchmark, Scale
from benchmarks.harness.databases import Databases
from benchmarks.harness.plan import Run
from benchmarks.harness.prepared import PreparedDatabases
from benchmarks.harness.runner import ROOT, BenchmarkError, Environment, Runner, refuse_unlike
from benchmarks.harness.worker import Job


@pytest.fixture
def runner() -> Iterator[Runner]:
    here = Environment(
        python=Path(sys.executable), import_path=(ROOT, *map(Path, filter(None, sys.path)))
    )
    with Databases() as databases, PreparedDatabases(databases, fill=here.work) as prepared:
        yield Runner(ours=here, peers=here, databases=databases, prepared=prepared)


@pytest.fixture
def brief(benchmark_of_counting: Benchmark) -> Benchmark:
    return replace(
        benchmark_of_counting,
        scale=Scale(sizes=(20,), headline=20),
        repetitions=1,
        traced=False,
    )


def test_every_run_is_a_process_of_its_own_whose_work_is_measured(
    runner: Runner, brief: Benchmark
) -> None:
    seen: list[Run] = []

    samples = runner.run(brief, full=False, seen=lambda _, run: seen.append(run))

    assert list(samples) == seen
    assert [run.contender for run in seen] == ["ours", "Abacus"]
    assert all(sample.facts == {"counted": 20} for sample in samples.values())
    assert all(sample.wall_seconds > 0 for sample in samples.values())


def test_work_that_was_not_done_gives_no_figures(runner: Runner, brief: Benchmark) -> None:
    benchmark = replace(brief, expect=lambda size: {"counted": size + 1})

    with pytest.raises(
        BenchmarkError, match=r"did \{'counted': 20\}, but was to do \{'counted': 21\}"
    ):
        runner.run(benchmark, full=False, seen=lambda *_: None)


def test_a_run_that_fails_is_told_with_its_traceback(runner: Runner, brief: Benchmark) -> None:
    benchmark = replace(brief, ours="tests.unit.benchmarks.conftest:nobody")

    with pytest.raises(BenchmarkError, match="nobody"):
        runner.run(benchmark, full=False, seen=lambda *_: None)


def test_a_benchmark_that_fails_does_not_take_the_others_with_it(brief: Benchmark) -> None:
    broken = replace(brief, name="broken", ours="tests.unit.benchmarks.conftest:nobody")

    told = measured([broken, brief], full=False, peers=Path(sys.executable))

    assert "nobody" in (told[0].failure or "")
    assert [len(one.rows) for one in told] == [0, 1]
    assert told[1].failure is None


def test_what_was_measured_before_an_early_end_is_told(
    brief: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Runner.run

    def end_at_the_second(runner: Runner, one: Benchmark, **given: Any) -> Any:
        if one.name == "second":
            raise KeyboardInterrupt
        return work(runner, one, **given)

    monkeypatch.setattr(Runner, "run", end_at_the_second)
    chosen = [brief, replace(brief, name="second"), replace(brief, name="third")]

    told = measured(chosen, full=False, peers=Path(sys.executable))

    assert [one.failure for one in told] == [None, "second: ended", "third: ended"]
    assert len(told[0].rows) == 1


def test_runs_that_differ_in_what_must_be_alike_give_no_figures(brief: Benchmark) -> None:
    benchmark = replace(brief, alike=("digest",))

    refuse_unlike(benchmark, [{"digest": "a"}, {"digest": "a"}])
    with pytest.raises(BenchmarkError, match="differ in their 'digest'"):
        refuse_unlike(benchmark, [{"digest": "a"}, {"digest": "b"}])


def test_benchmarks_that_read_the_same_share_what_was_filled_once() -> None:
    filled: list[Job] = []

    with Databases() as databases, PreparedDatabases(databases, fill=filled.append) as prepared:
        first = prepared.url("fill", "sqlite", 20)
        assert prepared.url("fill", "sqlite", 20) == first
        others = {prepared.url("fill", "sqlite", 40), prepared.url("otherwise", "sqlite", 20)}

    assert first not in others
    assert [(job.contender, job.size) for job in filled] == [
        ("fill", 20),
        ("fill", 40),
        ("otherwise", 20),
    ]


def test_an_sqlite_database_is_empty_and_ends_with_its_run() -> None:
    with Databases() as databases, databases.empty("sqlite") as url:
        file = Path(url.removeprefix("sqlite:///"))

        assert file.parent.is_dir()
        assert not file.exists()

    assert not file.parent.exists()
