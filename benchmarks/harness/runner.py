"""Starts the processes of a benchmark, and refuses figures of work that was not done."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.harness.benchmark import OURS, Benchmark, Sample
from benchmarks.harness.databases import Databases
from benchmarks.harness.plan import Run, groups
from benchmarks.harness.prepared import PreparedDatabases
from benchmarks.harness.stage import Facts
from benchmarks.harness.worker import Job, Outcome, outcome_from

ROOT: Final = Path(__file__).parents[2]


class BenchmarkError(Exception):
    """A run failed, or did something else than it was to do."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A Python with what some contenders need."""

    python: Path
    import_path: tuple[Path, ...] = (ROOT,)
    limit_seconds: int = 900
    """For how long it may work."""

    def work(self, job: Job) -> Outcome:
        """Do a job in a fresh process.

        Raises:
            BenchmarkError: the process failed, did not end, or told something else.

        """
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                [self.python, "-m", "benchmarks.harness.worker"],
                input=json.dumps(asdict(job)),
                env={"PYTHONPATH": ":".join(map(str, self.import_path))},
                capture_output=True,
                text=True,
                timeout=self.limit_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BenchmarkError(
                f"{job.contender} at {job.size} took over {self.limit_seconds} s"
            ) from error
        if done.returncode:
            raise BenchmarkError(f"{job.contender} at {job.size} failed:\n{done.stderr}")
        try:
            return outcome_from(json.loads(done.stdout))
        except json.JSONDecodeError as error:
            raise BenchmarkError(
                f"{job.contender} at {job.size} told no outcome but {done.stdout[:200]!r}"
            ) from error


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs benchmarks in two environments, on databases."""

    ours: Environment
    peers: Environment
    databases: Databases
    prepared: PreparedDatabases

    def run(
        self, benchmark: Benchmark, *, full: bool, seen: Callable[[Benchmark, Run], object]
    ) -> Mapping[Run, Sample]:
        """Return a sample of every run; `seen` hears of each when it is done.

        Raises:
            BenchmarkError: a run failed or did something else than it was to do.

        """
        samples: dict[Run, Sample] = {}
        for group in groups(benchmark, full=full):
            for run in group.runs:
                samples[run] = self._sample(benchmark, run)
                seen(benchmark, run)
            refuse_unlike(benchmark, [samples[run].facts for run in group.runs])
        return samples

    def _sample(self, benchmark: Benchmark, run: Run) -> Sample:
        environment = self.ours if run.contender == OURS else self.peers
        with contextlib.ExitStack() as stack:
            if benchmark.prepare is None:
                url = stack.enter_context(self.databases.empty(run.database))
            else:
                url = self.prepared.url(benchmark.prepare, run.database, run.size)
            job = Job(
                contender=benchmark.contenders[run.contender],
                size=run.size,
                database_url=url,
                folder=str(stack.enter_context(self.databases.folder())),
                traced=run.traced,
            )
            outcome = environment.work(job)
        refuse_other_work(job, expected=benchmark.expect(run.size), done=outcome.facts)
        return Sample(size=run.size, facts=outcome.facts, **asdict(outcome.measurement))


def refuse_other_work(job: Job, *, expected: Facts, done: Facts) -> None:
    """Do nothing, if all that was expected was done.

    Raises:
        BenchmarkError: something was not.

    """
    wrong = {name: done.get(name) for name in expected if done.get(name) != expected[name]}
    if wrong:
        raise BenchmarkError(
            f"{job.contender} at {job.size} did {wrong!r}, but was to do {dict(expected)!r}: "
            "its figures would be of other work"
        )


def refuse_unlike(benchmark: Benchmark, done: Sequence[Facts]) -> None:
    """Do nothing, if the runs of one size agree in what must be alike.

    Raises:
        BenchmarkError: they do not.

    """
    for name in benchmark.alike:
        if len({facts[name] for facts in done}) > 1:
            raise BenchmarkError(f"the runs of {benchmark.name!r} differ in their {name!r}")
