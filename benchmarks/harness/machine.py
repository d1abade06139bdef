"""What a reader must know of the machine that measured; nothing that says whose it is."""

import os
import platform
import sqlite3
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.harness.benchmark import MIB

_CPU: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine, described for the table of the figures that it measured."""

    processor: str
    cores: int
    memory_gib: int
    system: str
    python: str
    sqlite: str
    sqlalchemy: str


def this_machine() -> Machine:
    """Describe the machine of this process."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gib=round(memory / MIB / 1024),
        system=platform.system(),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        sqlalchemy=version("SQLAlchemy"),
    )


def load() -> float:
    """Return how many processes wanted a core, on average of the last five minutes."""
    return os.getloadavg()[1]


def _processor() -> str:
    if _CPU.exists():
        for line in _CPU.read_text(encoding="utf-8").splitlines():
            name, _, told = line.partition(":")
            if name.strip() == "model name":
                return " ".join(told.split())
    return platform.machine()
