"""The `puppets` command, as an operator starts it."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.harness.stage import Facts, Stage, Trial

DAYS: Final = 7
"""How long a simulated population lives."""


@contextlib.contextmanager
def rehearse(stage: Stage) -> Iterator[Trial]:
    """Let the default cast live so many virtual hours."""
    command = [sys.executable, "-m", "puppet_engine", "rehearse", "--json", "--seed", "7"]
    report: dict[str, Any] = {}

    def work() -> None:
        answer = subprocess.run(  # noqa: S603 - our own program
            [*command, "--hours", str(stage.size)], check=True, stdout=subprocess.PIPE
        )
        report.update(json.loads(answer.stdout))

    def check() -> Facts:
        told = ("digest", "events", "errors", "virtual_hours", "wall_seconds")
        return {name: report[name] for name in told}

    yield Trial(work=work, check=check)


@contextlib.contextmanager
def simulate(stage: Stage) -> Iterator[Trial]:
    """Let so many agents live a week, and write the report."""
    command = [sys.executable, "-m", "puppet_engine", "simulate", "--json", "--seed", "7"]
    amount = ["--agents", str(stage.size), "--days", str(DAYS)]
    where = ["--report", str(stage.folder / "simulation.json")]
    report: dict[str, Any] = {}

    def work() -> None:
        answer = subprocess.run(  # noqa: S603 - our own program
            [*command, *amount, *where], check=True, stdout=subprocess.PIPE
        )
        report.update(json.loads(answer.stdout))

    def check() -> Facts:
        counts = report["counts"]
        return {
            "digest": report["digest"],
            "events": counts["events"],
            "given_up": counts["given_up"],
            "broken": sum(finding["broken"] for finding in report["findings"]),
        }

    yield Trial(work=work, check=check)
