"""Forks `puppets worker` from a process that has loaded all of it, so that a birth is quick.

A worker that is forked runs the same command, with the same environment, as one that is started.
"""

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

LOADED: Final = ("puppet_engine.cli", "puppet_engine.main", "puppet_engine.workers")
PATIENCE_SECONDS: Final = 60


class Nursery:
    """The parent of workers, seen from outside."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kills.nursery"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._one_at_a_time = threading.Lock()

    def ask(self, **question: Any) -> int | None:
        """Have something done, and return the number that is told."""
        with self._one_at_a_time:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(f"{json.dumps(question)}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            assert line, "the parent of the workers has ended; what it said stands above"
            number: int | None = json.loads(line)
            return number

    def close(self) -> None:
        """End it; those that it has borne live on."""
        self._process.kill()
        self._process.wait()


class Forked:
    """A child of a nursery, with what `subprocess.Popen` has to say of a process."""

    def __init__(self, nursery: Nursery, *, cwd: Path, env: Mapping[str, str], log: Path) -> None:
        self._nursery = nursery
        self.returncode: int | None = None
        pid = nursery.ask(do="begin", cwd=str(cwd), env=dict(env), log=str(log))
        assert pid is not None
        self.pid: Final = pid

    def poll(self) -> int | None:
        """Return how it ended; None while it lives."""
        if self.returncode is None:
            self.returncode = self._nursery.ask(do="look", pid=self.pid)
        return self.returncode

    def wait(self, timeout: float = PATIENCE_SECONDS) -> int:
        """Return how it ended, when it has."""
        last = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > last:
                raise subprocess.TimeoutExpired("puppets worker", timeout)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal to it."""
        os.kill(self.pid, number)


def main() -> None:
    """Do what each line asks for, and answer with a number."""
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        question = json.loads(line)
        if question["do"] == "begin":
            answer: int | None = _fork(question)
        else:
            pid, status = os.waitpid(question["pid"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


def _fork(question: dict[str, Any]) -> int:
    if child := os.fork():
        return child
    code = 1
    try:
        log = os.open(question["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(question["cwd"])
        os.environ.clear()  # noqa: TID251 - the child's own
        os.environ.update(question["env"])  # noqa: TID251 - the child's own
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = _work()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _work() -> int:
    cli = importlib.import_module("puppet_engine.cli").cli
    try:
        cli(["worker"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


if __name__ == "__main__":
    main()
