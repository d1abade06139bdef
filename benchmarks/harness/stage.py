"""What a run is given and what it hands back; every contender speaks these words."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

Facts = Mapping[str, str | int | float]
"""What was really done, such as how many rows are in the table afterwards."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What one run is given."""

    size: int
    """How much there is to do; the benchmark says of what."""
    database_url: str
    """A database of this run's own; empty for a benchmark without one."""
    folder: Path
    """An empty folder of this run's own."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Work that is ready to be measured."""

    work: Callable[[], object]
    """What is measured, once."""
    check: Callable[[], Facts]
    """Tells afterwards, unmeasured, what was really done."""


Contender = Callable[[Stage], AbstractContextManager[Trial]]
"""Prepares a trial, and cleans up after it; neither is measured."""
