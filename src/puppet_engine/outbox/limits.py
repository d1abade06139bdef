"""How often an account may do something: token buckets, as timestamps. Pure.

A bucket of `count` tokens that fills in `per` is kept as the moment at which it would be full
again: the theoretical arrival time of the generic cell rate algorithm (ITU-T I.371, annex A).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from puppet_engine.storage.intent_store import Meter


@dataclass(frozen=True)
class RateCap:
    """At most `count` at once; one more after each `per / count`."""

    count: int
    per: timedelta

    def __post_init__(self) -> None:
        if self.count < 1 or self.per <= timedelta(0):
            raise ValueError(f"{self} lets nothing through: give a count and a span above 0")

    @property
    def interval(self) -> timedelta:
        return self.per / self.count


def free_at(meter: Meter, caps: Sequence[RateCap], now: datetime) -> datetime:
    """Return when the next token is there; `now` when it is."""
    moments = [now]
    if meter.closed_until is not None:
        moments.append(meter.closed_until)
    for cap, arrival in zip(caps, _arrivals(meter, caps, now), strict=True):
        moments.append(arrival - cap.interval * (cap.count - 1))
    return max(moments)


def take(meter: Meter, caps: Sequence[RateCap], now: datetime) -> Meter:
    """Return the meter after a token was taken from each bucket."""
    arrivals = (
        max(arrival, now) + cap.interval
        for cap, arrival in zip(caps, _arrivals(meter, caps, now), strict=True)
    )
    return meter.model_copy(update={"arrivals": tuple(arrivals)})


def _arrivals(meter: Meter, caps: Sequence[RateCap], now: datetime) -> Sequence[datetime]:
    # Other limits than when the meter was kept: begin with full buckets.
    return meter.arrivals if len(meter.arrivals) == len(caps) else [now] * len(caps)
