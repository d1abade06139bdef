"""Measure how much life a rehearsal gets out of a machine.

Each run is a process of its own, as an operator starts it; the best of three counts,
for other work on the machine can only slow a run down.
Writes `benchmarks/results.json` and `docs/benchmarks.md`.
"""

import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
HOURS: Final = 24
RUNS: Final = 3
TARGET: Final = 1.0
"""Virtual hours per wall second: a day of the cast's life while one waits for it."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One measured figure, beside that of a peer where one was measured too."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    target: float | None = None
    met: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """One rehearsal: what it reported, and the processor time it took in seconds."""

    report: dict[str, Any]
    cpu_seconds: float

    @property
    def hours_per_second(self) -> float:
        """Virtual hours per second of the wall clock."""
        return float(self.report["virtual_hours"]) / float(self.report["wall_seconds"])


def rehearse() -> Run:
    """Let the default cast live `HOURS` in a process of its own."""
    command = [sys.executable, "-m", "puppet_engine", "rehearse", "--json", "--seed", "7"]
    before = _cpu_of_children()
    answer = subprocess.run(  # noqa: S603 - our own program
        [*command, "--hours", str(HOURS)], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    return Run(report=json.loads(answer.stdout), cpu_seconds=_cpu_of_children() - before)


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def results(runs: Sequence[Run]) -> list[Result]:
    """Return the figures of the best of some runs."""
    best = max(runs, key=lambda run: run.hours_per_second)
    speed = best.hours_per_second
    cpu = min(run.cpu_seconds for run in runs)
    digests = [run.report["digest"] for run in runs]
    alike = digests.count(best.report["digest"])
    return [
        Result(
            name="speed",
            value=round(speed, 2),
            unit="virtual hours per wall second",
            target=TARGET,
            met=speed >= TARGET,
        ),
        Result(name="processor time", value=round(cpu / HOURS, 3), unit="s per virtual hour"),
        Result(name="events", value=best.report["events"], unit=f"in {HOURS} virtual hours"),
        Result(
            name="errors",
            value=best.report["errors"],
            unit="events",
            target=0,
            met=best.report["errors"] == 0,
        ),
        Result(
            name="lives that are alike",
            value=alike,
            unit=f"of {len(runs)} runs with one seed",
            target=len(runs),
            met=alike == len(runs),
        ),
    ]


def page(measured: Sequence[Result]) -> str:
    """Return `docs/benchmarks.md`."""
    rows = [
        f"| {one.name} | {one.value:g} {one.unit} | {_told(one.target)} | {_verdict(one.met)} |"
        for one in measured
    ]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "<!-- Written by `make bench`. -->",
            "",
            f"`puppets rehearse --hours {HOURS} --seed 7`, the best of {RUNS} runs on {machine}.",
            "",
            "| | measured | target | met |",
            "|--|--|--|--|",
            *rows,
            "",
        ]
    )


def _told(figure: float | None) -> str:
    return "" if figure is None else f"{figure:g}"


def _verdict(met: bool | None) -> str:
    return {None: "", True: "yes", False: "**no**"}[met]


def main() -> None:
    """Measure and write."""
    measured = results([rehearse() for _ in range(RUNS)])
    listed = json.dumps([asdict(one) for one in measured], indent=2)
    ROOT.joinpath("benchmarks", "results.json").write_text(listed + "\n", encoding="utf-8")
    ROOT.joinpath("docs", "benchmarks.md").write_text(page(measured), encoding="utf-8")
    sys.stdout.write(page(measured))


if __name__ == "__main__":
    main()
