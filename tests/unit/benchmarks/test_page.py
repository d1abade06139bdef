import getpass
import platform

import pytest
from benchmarks.harness.__main__ import catalogue
from benchmarks.harness.benchmark import Benchmark
from benchmarks.harness.machine import this_machine
from benchmarks.harness.page import page
from benchmarks.harness.plan import groups
from benchmarks.harness.results import Result, Side, Told
from benchmarks.harness.runner import ROOT


def result(*, met: bool | None) -> Result:
    side = Side(
        spread=0.5,
        wall_seconds=2,
        cpu_seconds=1,
        resident_mib=3,
        python_mib=None,
        growth=1.02,
        sizes={"10": 5.0, "2000": 1234.0},
    )
    return Result(
        name="counting",
        value=1234,
        unit="per s",
        peer="Abacus",
        peer_value=617,
        ratio=2,
        target=1.5,
        target_is="ratio at least",
        met=met,
        ratio_middle_half=(1.9, 2.1),
        size=2_000,
        item="numbers",
        repetitions=5,
        ours=side,
        theirs=side,
    )


def written(benchmark: Benchmark, *rows: Result, failure: str | None = None) -> list[str]:
    told = Told(
        benchmark=benchmark,
        seconds=12.4,
        processor="Abacus II",
        load=1.25,
        rows=rows,
        failure=failure,
    )
    text = page([told], machine=this_machine(), command="make bench", results="r.json")
    return text.splitlines()


def test_the_page_tells_figures_targets_and_costs(benchmark_of_counting: Benchmark) -> None:
    lines = written(benchmark_of_counting, result(met=True))

    assert (
        "| counting (2,000 numbers) | 1,234 per s | Abacus | 617 | 2.00 (1.90 to 2.10) "
        "| ratio at least 1.5 | yes |"
    ) in lines
    assert (
        "| counting | ours | 10: 5, 2,000: 1,234 | ± 0.5 | 2 s | 1 s | 3 MiB |  | 1.02 |"
    ) in lines
    assert "- **counting** (12 s on Abacus II, load 1.2): counting up." in lines


def test_a_missed_target_stands_out(benchmark_of_counting: Benchmark) -> None:
    [line] = [row for row in written(benchmark_of_counting, result(met=False)) if "1.90" in row]

    assert line.endswith("| **no** |")


def test_a_benchmark_that_failed_is_told_and_hides_no_other(
    benchmark_of_counting: Benchmark,
) -> None:
    lines = written(benchmark_of_counting, failure="count at 10 failed:\nTraceback ...")

    assert (
        "- **counting** (12 s on Abacus II, load 1.2): counting up. "
        "**Not measured**: count at 10 failed:"
    ) in lines


def test_our_cost_is_told_once_however_many_peers(benchmark_of_counting: Benchmark) -> None:
    lines = written(benchmark_of_counting, result(met=True), result(met=True))

    assert sum(line.startswith("| counting | ours |") for line in lines) == 1


def test_the_machine_is_described_but_not_named(benchmark_of_counting: Benchmark) -> None:
    text = "\n".join(written(benchmark_of_counting))

    assert platform.python_version() in text
    for private in (platform.node(), getpass.getuser(), str(ROOT)):
        assert private not in text.split()


def test_benchmarks_have_names_of_their_own_and_a_headline_among_their_sizes() -> None:
    names = [one.name for one in catalogue()]

    assert len(names) == len(set(names))
    for one in catalogue():
        for full in (False, True):
            scale = one.scale_of(full=full)
            assert list(scale.sizes) == sorted(scale.sizes)
            assert len(scale.sizes) >= 3
            assert scale.headline in scale.sizes


@pytest.mark.parametrize("one", catalogue(), ids=lambda one: one.name)
def test_whoever_takes_part_is_there(one: Benchmark) -> None:
    named = {*one.contenders.values(), *([one.prepare] if one.prepare else [])}
    for contender in named:
        module, _, function = contender.partition(":")
        source = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")

        assert f"\ndef {function}(stage: Stage) -> " in source

    assert any(group.runs for group in groups(one))
