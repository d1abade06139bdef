"""Whether something stays flat: the slope of a line through samples, and how much is too much."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import linear_regression
from types import MappingProxyType
from typing import Final

import psutil

WARM_UP: Final = 0.25
"""The share of the samples that is left out: caches and pools are filled at first."""

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a process holds at one moment."""

    seconds: float
    """Since the beginning."""
    memory: float
    """Resident, in MiB."""
    handles: float
    """Open files and sockets."""
    connections: float
    """To the database: open handles of its file, or the processes of a server that serve us."""


BOUNDS: Final[Mapping[str, float]] = MappingProxyType(
    {"memory": 8.0, "handles": 3.0, "connections": 1.0}
)
"""By how much each may grow from the end of the warm-up to the end."""


def sample(seconds: float, process: psutil.Process, *, connections: float) -> Sample:
    """Return what a process holds now, beside the connections that somebody counted."""
    return Sample(
        seconds=seconds,
        memory=process.memory_info().rss / _MIB,
        handles=process.num_fds(),
        connections=connections,
    )


def growth(samples: Sequence[Sample], name: str) -> float:
    """Return by how much the line of best fit rises after the warm-up; few samples prove nothing.

    Raises:
        ValueError: fewer than eight samples are left.

    """
    steady = samples[int(len(samples) * WARM_UP) :]
    if len(steady) < 8:  # noqa: PLR2004 - a line through fewer says little
        raise ValueError(f"{len(steady)} samples are too few: run longer, or sample more often")
    moments = [one.seconds for one in steady]
    slope, _ = linear_regression(moments, [float(getattr(one, name)) for one in steady])
    return slope * (moments[-1] - moments[0])


def too_much(samples: Sequence[Sample]) -> dict[str, float]:
    """Return what has grown by more than its bound, and by how much."""
    grown = {name: growth(samples, name) for name in BOUNDS}
    return {name: by for name, by in grown.items() if by > BOUNDS[name]}
