"""A program that lives for weeks takes its memory from one heap."""

import platform
import subprocess
import sys

import pytest

FILL = """
import threading
from pathlib import Path
from puppet_engine.run import share_one_heap

{first}
held, go = [], threading.Barrier(9)


def hold():
    held.append([bytes(5_000) for _ in range(100)])
    go.wait()
    go.wait()


threads = [threading.Thread(target=hold) for _ in range(8)]
for one in threads:
    one.start()
go.wait()
bounds = [line.split()[0].split("-") for line in Path("/proc/self/maps").read_text().splitlines()]
spans = [(int(begin, 16), int(end, 16)) for begin, end in bounds]
reach = 64 << 20
# A heap of a thread begins at a multiple of its reach, and reserves all of it.
heaps = [at for at, end in spans if at % reach == 0 and any(e == at + reach for _, e in spans)]
print(len(heaps))
go.wait()
"""


def _heaps(first: str) -> int:
    program = FILL.format(first=first)
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return int(ran.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has heaps of threads")
def test_threads_share_one_heap() -> None:
    assert _heaps("") > 1
    assert _heaps("share_one_heap()") <= 1
