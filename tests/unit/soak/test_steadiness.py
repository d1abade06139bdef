"""The soak finds what leaks, and lets alone what does not."""

import mmap
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from soak.steadiness import Sample, sample, too_much


def watched(work: Callable[[int], object]) -> list[Sample]:
    """Return real samples of this process, one after each bit of work."""
    process = psutil.Process()
    samples = []
    for second in range(40):
        work(second)
        open_files = sum(file.path.endswith(".db") for file in process.open_files())
        samples.append(sample(second, process, connections=open_files))
    return samples


def test_a_process_that_holds_what_it_holds_is_steady() -> None:
    buffer = bytearray(1024)

    found = too_much(watched(lambda second: buffer.__setitem__(0, second)))

    assert found == {}


def test_memory_that_leaks_is_found() -> None:
    leak: list[mmap.mmap] = []

    def work(_: int) -> None:
        # From the system itself: the allocator may have room left that counts already.
        leak.append(mmap.mmap(-1, 2**20))
        leak[-1].write(b"x" * 2**20)

    found = too_much(watched(work))

    assert found.keys() == {"memory"}
    assert found["memory"] > 20


def test_handles_and_connections_that_leak_are_found(tmp_path: Path) -> None:
    with ExitStack() as leak:

        def work(second: int) -> None:
            leak.enter_context((tmp_path / f"{second}.db").open("w"))

        found = too_much(watched(work))

    assert found.keys() == {"handles", "connections"}


def test_what_is_filled_once_is_no_leak() -> None:
    cache: list[bytes] = []

    def work(second: int) -> None:
        if second < 8:
            cache.append(b"x" * 2**22)

    assert too_much(watched(work)) == {}


def test_few_samples_prove_nothing() -> None:
    one = Sample(seconds=0, memory=1, handles=1, connections=1)

    with pytest.raises(ValueError, match="run longer"):
        too_much([one] * 5)
