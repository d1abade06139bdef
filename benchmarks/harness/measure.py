"""Measures one piece of work in this process: time on the wall, of the processor, and memory."""

import gc
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")
_RESET: Final = Path("/proc/self/clear_refs")
_RESET_PEAK: Final = "5"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What some work cost."""

    wall_seconds: float
    cpu_seconds: float
    resident_bytes: int
    traced_bytes: int | None


def measure(work: Callable[[], object], *, traced: bool = False) -> Measurement:
    """Do the work once, and return what it cost.

    Tracing finds what Python's allocator held, and makes the work several times slower.
    The growth of resident memory counts all else too, such as the buffers of a driver; what other
    threads give back meanwhile is missing from it, so a fresh process measures best.
    """
    gc.collect()
    if traced:
        tracemalloc.start()
    resident = _Resident()
    cpu, wall = _cpu_seconds(), time.perf_counter()
    work()
    wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
    growth = resident.growth()
    peak = tracemalloc.get_traced_memory()[1] if traced else None
    tracemalloc.stop()
    return Measurement(
        wall_seconds=wall, cpu_seconds=cpu, resident_bytes=growth, traced_bytes=peak
    )


def _cpu_seconds() -> float:
    """Return what this process and those it has waited for have used of the processors."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


class _Resident:
    """The resident memory of this process, from now to its peak."""

    def __init__(self) -> None:
        if _RESET.exists():
            # The peak so far, that of the imports perhaps, is no business of the work.
            _RESET.write_text(_RESET_PEAK, encoding="ascii")
        self._before = _peak_bytes()

    def growth(self) -> int:
        return _peak_bytes() - self._before


def _peak_bytes() -> int:
    if _STATUS.exists():
        for line in _STATUS.read_text(encoding="ascii").splitlines():
            name, _, told = line.partition(":")
            if name == "VmHWM":
                return int(told.split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
