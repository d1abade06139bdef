import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.harness.measure import measure

ROOT = Path(__file__).parents[3]
MEBIBYTE = 1024 * 1024


def measured_alone(work: str) -> Any:
    """Measure in a fresh process, as the harness does.

    In that of the tests, what others give back meanwhile hides what the work takes.
    """
    program = (
        "import json; from benchmarks.harness.measure import measure; "
        f"print(json.dumps(vars(measure(lambda: {work}, traced=True))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return json.loads(done.stdout)


def test_the_work_is_done_once() -> None:
    done: list[str] = []

    measure(lambda: done.append("work"))

    assert done == ["work"]


def test_waiting_takes_time_on_the_wall_but_not_of_the_processor() -> None:
    measured = measure(lambda: time.sleep(0.05))

    assert measured.wall_seconds >= 0.05
    assert measured.cpu_seconds < measured.wall_seconds / 2


def test_work_takes_time_of_the_processor() -> None:
    measured = measure(lambda: sum(range(1_000_000)))

    assert measured.cpu_seconds > 0


def test_memory_counts_at_its_peak_although_it_was_given_back() -> None:
    measured = measured_alone(f"bytearray({32 * MEBIBYTE})")

    assert measured["resident_bytes"] >= 30 * MEBIBYTE
    assert measured["traced_bytes"] >= 32 * MEBIBYTE


def test_memory_that_was_held_before_is_not_of_the_work() -> None:
    before = bytes(64 * MEBIBYTE)

    measured = measure(lambda: None)

    assert len(before) > measured.resident_bytes
    assert measured.resident_bytes < 8 * MEBIBYTE
    assert measured.traced_bytes is None
