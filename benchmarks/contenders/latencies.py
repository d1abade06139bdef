"""What is measured of waking up: the same for everybody."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

SAMPLES: Final = 150
"""How many events of each kind wake somebody up, one after the other."""

DELAY: Final = {"queued": timedelta(0), "scheduled": timedelta(milliseconds=25)}
"""How long before it is due an event is published, by its kind."""

MEASURED: Final = 2 * SAMPLES


def far_ahead(number: int) -> timedelta:
    """Return when a timer that only lies there is due: spread over ten hours, from one on."""
    return timedelta(hours=1, seconds=number % 36_000)


def percentile(measured: Sequence[float], share: float) -> float:
    """Return the smallest figure that so many percent of all do not exceed."""
    ordered = sorted(measured)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]
