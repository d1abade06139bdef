"""The thread that takes texts in, beside those somebody waits for."""

import os
import subprocess
import sys
import threading

import pytest
from sqlalchemy import create_engine

from timber.common.vector import worker as module
from timber.common.vector.worker import IngestionWorker

_UNSTOPPED = """
import threading, time
from sqlalchemy import create_engine
from timber.common.vector.worker import IngestionWorker

begun = threading.Event()

def work():
    begun.set()
    time.sleep(0.5)
    print("worked")
    return True

IngestionWorker(work=work).start(create_engine("sqlite://"))
assert begun.wait(30)
"""


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_it_makes_way_for_the_other_threads_of_the_process() -> None:
    seen: list[int] = []
    has_worked, usual = threading.Event(), _niceness()

    def work() -> bool:
        seen.append(_niceness())
        has_worked.set()
        return False

    worker = IngestionWorker(work=work)
    worker.start(create_engine("sqlite://"))
    try:
        assert has_worked.wait(30)
    finally:
        worker.stop()

    # Elsewhere a priority is one of the whole process, and stays as it is.
    assert seen[0] == (min(19, usual + 5) if sys.platform == "linux" else usual)
    assert _niceness() == usual


def test_the_end_of_a_process_lets_it_end_what_it_is_at() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _UNSTOPPED], check=False, capture_output=True, text=True, timeout=50
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "worked\n", "")


def test_the_first_work_waits_for_no_end_of_the_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search would wait for the model, which is loaded then."""
    monkeypatch.setattr(module, "_MOST_WAITS", 1_000_000)
    engine = create_engine("sqlite://")
    is_writing, has_worked = threading.Event(), threading.Event()

    def work() -> bool:
        if is_writing.is_set():
            has_worked.set()
        return False

    worker = IngestionWorker(work=work)
    worker.start(engine)
    try:
        is_writing.set()
        for _ in range(10_000):
            engine.connect().close()
            if has_worked.wait(0.001):
                break
    finally:
        worker.stop()

    assert has_worked.is_set()
