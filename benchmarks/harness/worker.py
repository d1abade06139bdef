"""The process of one run: reads a job from stdin, does it, and writes what it cost to stdout.

It runs in our environment and in that of the peers, so it needs nothing but Python.
"""

import contextlib
import importlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from benchmarks.harness.measure import Measurement, measure
from benchmarks.harness.stage import Contender, Facts, Stage


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a worker is told to do."""

    contender: str
    """As `module:function`."""
    size: int
    database_url: str
    folder: str
    traced: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a worker tells of a run."""

    measurement: Measurement
    facts: Facts


def find(contender: str) -> Contender:
    """Return the function that `module:function` names."""
    module, _, function = contender.partition(":")
    return cast("Contender", getattr(importlib.import_module(module), function))


def do(job: Job) -> Outcome:
    """Do one run."""
    stage = Stage(size=job.size, database_url=job.database_url, folder=Path(job.folder))
    with find(job.contender)(stage) as trial:
        measurement = measure(trial.work, traced=job.traced)
        return Outcome(measurement=measurement, facts=dict(trial.check()))


def outcome_from(told: Mapping[str, Any]) -> Outcome:
    """Return the outcome that a worker wrote as JSON."""
    return Outcome(measurement=Measurement(**told["measurement"]), facts=told["facts"])


def main() -> None:
    """Do the job that stdin tells."""
    # What a library prints must not stand in the answer.
    with contextlib.redirect_stdout(sys.stderr):
        outcome = do(Job(**json.load(sys.stdin)))
    json.dump(asdict(outcome), sys.stdout)


if __name__ == "__main__":
    main()
