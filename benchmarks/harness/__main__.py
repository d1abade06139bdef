"""The command behind `make bench` and `make bench-full`."""

import argparse
import importlib
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.harness.benchmark import Benchmark, Scale
from benchmarks.harness.book import Book
from benchmarks.harness.databases import Databases
from benchmarks.harness.machine import load, this_machine
from benchmarks.harness.page import table
from benchmarks.harness.plan import Run, groups
from benchmarks.harness.prepared import PreparedDatabases
from benchmarks.harness.results import Result, Told, results
from benchmarks.harness.runner import ROOT, BenchmarkError, Environment, Runner
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_FAILED, _UNUSABLE, _ENDED = 1, 2, 143
_SECONDS, _FULL_SECONDS = 900, 7200  # of one run


def catalogue() -> tuple[Benchmark, ...]:
    """Return every benchmark: each module beside the harness has its `BENCHMARKS`."""
    modules = sorted(file.stem for file in ROOT.joinpath("benchmarks").glob("*.py"))
    return tuple(
        benchmark
        for module in modules
        for benchmark in importlib.import_module(f"benchmarks.{module}").BENCHMARKS
    )


def main() -> int:
    """Measure; write the results, unless only some benchmarks were asked for, to see them."""
    # Ended by a signal, it still stops the database server that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_ENDED))
    given = _parser().parse_args()
    chosen = [
        one
        for one in catalogue()
        if (one.name in given.only if given.only else given.full or not one.in_full)
    ]
    if unknown := set(given.only) - {one.name for one in chosen}:
        known = ", ".join(repr(one.name) for one in catalogue())
        print(f"no benchmark {', '.join(map(repr, unknown))}; there are: {known}", file=sys.stderr)
        return _UNUSABLE
    if given.size:
        scale = Scale(sizes=tuple(sorted(given.size)), headline=max(given.size))
        chosen = [replace(one, scale=scale, full_scale=None) for one in chosen]
    if given.repetitions:
        chosen = [replace(one, repetitions=given.repetitions) for one in chosen]
    told = measured(chosen, full=given.full, peers=given.peers)
    print(table(row for one in told for row in one.rows))
    if given.keep or not (given.only or given.size):
        book = Book.of(full=given.full)
        all_told = book.with_these(told, catalogue()) if given.keep else told
        book.write(all_told, machine=this_machine())
    failures = [one.failure for one in told if one.failure is not None]
    for failure in failures:
        print(failure, file=sys.stderr)
    return _FAILED if failures else 0


def measured(benchmarks: Iterable[Benchmark], *, full: bool, peers: Path) -> Sequence[Told]:
    """Run benchmarks, and return what each of them found, or how it failed.

    Ended by a signal, those that were not measured by then count as failed.
    """
    chosen = tuple(benchmarks)
    runs = sum(len(group.runs) for one in chosen for group in groups(one, full=full))
    limit = _FULL_SECONDS if full else _SECONDS
    ours = Environment(
        python=Path(sys.executable), import_path=(ROOT / "src", ROOT), limit_seconds=limit
    )
    theirs = Environment(python=peers, limit_seconds=limit)
    with (
        _progress() as progress,
        Databases() as databases,
        PreparedDatabases(databases, fill=ours.work) as prepared,
    ):
        bar = progress.add_task("", total=runs)

        def seen(benchmark: Benchmark, run: Run) -> None:
            said = f"{benchmark.name} · {run.database or ''} · {run.size:,} · {run.contender}"
            progress.update(bar, advance=1, description=said)

        runner = Runner(ours=ours, peers=theirs, databases=databases, prepared=prepared)

        processor = this_machine().processor

        def told(one: Benchmark) -> Told:
            began, before = time.monotonic(), load()
            rows: tuple[Result, ...] = ()
            failure = None
            try:
                rows = tuple(results(one, runner.run(one, full=full, seen=seen), full=full))
            except BenchmarkError as error:
                failure = str(error)
            seconds = time.monotonic() - began
            if not progress.console.is_terminal:
                outcome = "measured" if failure is None else "NOT measured"
                progress.console.print(f"{one.name}: {outcome} in {seconds:.0f} s")
            return Told(
                benchmark=one,
                seconds=seconds,
                processor=processor,
                load=(before + load()) / 2,
                rows=rows,
                failure=failure,
            )

        done: list[Told] = []
        try:
            done.extend(map(told, chosen))
        except (KeyboardInterrupt, SystemExit):
            done += [_ended(one, processor) for one in chosen[len(done) :]]
        return done


def _ended(benchmark: Benchmark, processor: str) -> Told:
    failure = f"{benchmark.name}: ended"
    return Told(benchmark=benchmark, seconds=0, processor=processor, load=load(), failure=failure)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="measure the large sizes as well")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="measure this benchmark (may be given again), and write nothing",
    )
    parser.add_argument(
        "--size",
        action="append",
        default=[],
        type=int,
        metavar="COUNT",
        help="measure at this size (may be given again), and write nothing",
    )
    parser.add_argument(
        "--repetitions",
        type=int,
        metavar="COUNT",
        help="run each contender so often at the size that is told",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="write what was measured all the same, and leave the others as they were",
    )
    parser.add_argument(
        "--peers",
        type=Path,
        default=ROOT / ".venv-bench" / "bin" / "python",
        metavar="PYTHON",
        help="the Python of the environment with the peers",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
