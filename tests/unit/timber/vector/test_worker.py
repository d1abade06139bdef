"""The thread that takes texts in, beside those somebody waits for."""

import os
import sys
import threading

from sqlalchemy import create_engine

from timber.common.vector.worker import IngestionWorker


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
    assert seen[0] == (min(19, usual + 10) if sys.platform == "linux" else usual)
    assert _niceness() == usual
