import time

from benchmarks.harness.measure import measure


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
    measured = measure(lambda: bytearray(32 * 1024 * 1024), traced=True)

    assert measured.resident_bytes >= 30 * 1024 * 1024
    assert measured.traced_bytes is not None
    assert measured.traced_bytes >= 32 * 1024 * 1024


def test_memory_that_was_held_before_is_not_of_the_work() -> None:
    before = bytes(64 * 1024 * 1024)

    measured = measure(lambda: None)

    assert len(before) > measured.resident_bytes
    assert measured.resident_bytes < 8 * 1024 * 1024
    assert measured.traced_bytes is None
