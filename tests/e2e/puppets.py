"""The `puppets` command as a process of its own, as people start it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx2

ROOT: Final = Path(__file__).parents[2]
CAST: Final = ROOT / "config" / "agents"
PATIENCE_SECONDS: Final = 60

T = TypeVar("T")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "puppet_engine", *arguments]


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a newcomer: no key, no setting of ours."""
    # Of `XDG_DATA_HOME`: the keys of a life lie there, and whoever started this has them, too.
    kept = {"PATH", "HOME", "XDG_DATA_HOME", "LANG", "TMPDIR"}
    kept |= {"COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"}
    basic = {name: value for name, value in os.environ.items() if name in kept}  # noqa: TID251
    return {**basic, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1", **more}


class Puppets:
    """A running `puppets run`."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._log = (folder / "puppets.log").open("a+")
        given = ("--agents", str(CAST), "--port", "0", *arguments)
        self.process = subprocess.Popen(
            command("run", *given),
            cwd=folder,
            env=environment(),
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._from = self._log.seek(0, os.SEEK_END)
        try:
            self.url = until(self._printed_url, "the address of the page")
        except BaseException:
            self.kill()
            raise

    def log(self) -> str:
        self._log.seek(self._from)
        return self._log.read()

    def _printed_url(self) -> str | None:
        if self.process.poll() is not None:
            raise AssertionError(f"puppets ended at once:\n{self.log()}")
        found = re.search(r"http://127\.0\.0\.1:\d+", self.log())
        return found[0] if found else None

    def get(self, path: str) -> Any:
        return httpx2.get(f"{self.url}{path}", timeout=30).raise_for_status().json()["data"]

    def said(self) -> list[dict[str, Any]]:
        """Return what was published, oldest first."""
        events = self.get("/events?limit=500")["events"]
        return [event["payload"] for event in events if event["type"] == "post.published"]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_SECONDS)


@contextlib.contextmanager
def running(folder: Path, *arguments: str) -> Generator[Puppets]:
    puppets = Puppets(folder, *arguments)
    try:
        yield puppets
    finally:
        if puppets.process.poll() is None:
            puppets.kill()
        puppets._log.close()


def until(ask: Callable[[], T | None], what: str) -> T:
    """Return the first answer that is not empty."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE_SECONDS} s in vain for {what}")


def repeated(texts: list[str]) -> list[str]:
    return [text for text, count in Counter(texts).items() if count > 1]


def run_json(*arguments: str, cwd: Path, **variables: str) -> Any:
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
