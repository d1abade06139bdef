"""Processes for tests that kill them, or that need another: forked of one that waits for it.

To start a Python and to import Timber takes many times longer than what most of them do.
The one that waits has nothing open and no thread, so what is forked of it is as if started.
"""

import gc
import importlib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).parents[1]


class Ended(NamedTuple):
    """How a process ended."""

    returncode: int
    """As `subprocess` has it: a signal is a negative number."""
    stdout: str
    stderr: str


class Forks:
    """Runs code in processes of their own, one at a time, from the root of the project."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @classmethod
    @contextmanager
    def opened(cls, *imported: str, packages: Path = ROOT / "src") -> Generator[Self]:
        """Start the process that waits, with modules imported from a folder of packages."""
        with subprocess.Popen(
            [sys.executable, "-m", "tests.forks", *imported],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(packages), "."])},  # noqa: TID251 - a child has its parent's
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield cls(process)
            assert process.stdin is not None
            process.stdin.close()

    def run(
        self,
        code: str,
        *arguments: object,
        cwd: Path = ROOT,
        env: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run code as `python -c` does, and wait for its end."""
        asked = {
            "code": code,
            "arguments": [str(one) for one in arguments],
            "cwd": str(cwd),
            "env": env or {},
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return Ended(**json.loads(self._process.stdout.readline()))

    def run_module(
        self, module: str, *arguments: object, env: Mapping[str, str] | None = None
    ) -> Ended:
        """Run a module as `python -m` does, and wait for its end."""
        code = f"import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
        return self.run(code, *arguments, env=env)


def forking() -> ForkServerContext:
    """Return what starts functions as processes, forked of one that has Timber imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["psycopg", "timber.common.runtime"])
    return context


def _forked(asked: dict[str, Any]) -> Ended:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            for file, standard in ((out, 1), (err, 2)):
                os.dup2(file.fileno(), standard)
            os._exit(_run(asked))
        _, status = os.waitpid(child, 0)
        told = []
        for file in (out, err):
            file.seek(0)
            told.append(file.read().decode(errors="replace"))
    return Ended(os.waitstatus_to_exitcode(status), *told)


def _run(asked: dict[str, Any]) -> int:
    os.chdir(asked["cwd"])
    os.environ.update(asked["env"])  # noqa: TID251 - it is the environment of this process
    sys.argv = ["-c", *asked["arguments"]]
    code = 0
    try:
        exec(compile(asked["code"], "<forked>", "exec"), {"__name__": "__main__"})
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:  # noqa: BLE001 - told to who waits
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _wait_and_fork(*imported: str) -> None:
    """Fork for each line that comes, and tell how it ended."""
    for one in imported:
        importlib.import_module(one)
    gc.freeze()  # what is imported stays: no fork has to look through it
    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line))._asdict()), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    _wait_and_fork(*sys.argv[1:])
