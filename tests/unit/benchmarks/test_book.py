"""What was measured before is kept beside what is measured now."""

import json
from pathlib import Path

from benchmarks.harness.benchmark import Benchmark
from benchmarks.harness.book import Book
from benchmarks.harness.machine import this_machine
from benchmarks.harness.results import Told
from tests.unit.benchmarks.test_page import result


def told(benchmark: Benchmark, *, met: bool) -> Told:
    rows = [result(met=met)]
    processor = "Abacus II" if met else "Abacus III"
    return Told(benchmark=benchmark, seconds=12, processor=processor, load=1.5, rows=rows)


def test_a_benchmark_that_is_measured_anew_takes_the_place_of_its_own_figures_alone(
    tmp_path: Path, benchmark_of_counting: Benchmark, other_benchmark: Benchmark
) -> None:
    for folder in ("docs", "benchmarks"):
        (tmp_path / folder).mkdir()
    book = Book.of(full=True, root=tmp_path)
    first = [told(benchmark_of_counting, met=True), told(other_benchmark, met=True)]
    book.write(first, machine=this_machine())

    known = [benchmark_of_counting, other_benchmark]
    again = book.with_these([told(other_benchmark, met=False)], known)

    assert again == [first[0], told(other_benchmark, met=False)]
    page = (tmp_path / "docs" / "benchmarks-full.md").read_text(encoding="utf-8")
    assert "results-full.json" in page
    rows = json.loads((tmp_path / "benchmarks" / "results-full.json").read_text(encoding="utf-8"))
    assert {"name", "value", "unit", "peer", "peer_value", "ratio", "target", "met"} <= set(
        rows[0]
    )


def test_nothing_was_kept_where_nothing_was_measured(
    tmp_path: Path, benchmark_of_counting: Benchmark
) -> None:
    book = Book.of(full=False, root=tmp_path)

    only = [told(benchmark_of_counting, met=True)]

    assert book.with_these(only, [benchmark_of_counting]) == only
