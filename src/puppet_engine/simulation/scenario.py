"""What is simulated: how many agents, how long, from which seed, and what goes wrong."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.models import Noun

FIRST_MOMENT: Final = datetime(2026, 1, 5, 6, tzinfo=UTC)
"""When every simulated life begins: on a Monday morning, so that one seed is one life."""

MENTION_POLL_MINUTES: Final = 240.0
"""How often simulated agents look for mentions: X tells nobody of them, and each look costs."""


class FaultKind(StrEnum):
    """What can go wrong."""

    CRASHES = "crashes"
    """The engine ends at once, in the midst of anything, and is started again."""
    CLOCK_JUMPS = "clock-jumps"
    """Everybody's clock is set hours forward or back."""
    SLOW_DISK = "slow-disk"
    """A transaction takes up to half a minute of virtual time."""
    LOST_REPLIES = "lost-replies"
    """A server does what it was asked for, and its answer never arrives."""
    HANGING_CALLS = "hanging-calls"
    """A server says nothing until the client's patience ends; it may have done it or not."""


USUAL_RATES: Final[Mapping[FaultKind, float]] = MappingProxyType(
    {
        FaultKind.CRASHES: 2,
        FaultKind.CLOCK_JUMPS: 2,
        FaultKind.SLOW_DISK: 0.01,
        FaultKind.LOST_REPLIES: 0.01,
        FaultKind.HANGING_CALLS: 0.01,
    }
)
"""How often, when nothing else is said.

Crashes and jumps are counted by the virtual day;
slow transactions, lost replies and hanging calls are a share of all, 0 to 1.
"""

SHARES: Final = frozenset({FaultKind.SLOW_DISK, FaultKind.LOST_REPLIES, FaultKind.HANGING_CALLS})


class Scenario(Noun):
    """Everything that a simulated life depends on: two of the same are the same life."""

    agents: Annotated[int, Field(ge=1, le=100_000)] = 1000
    days: Annotated[float, Field(gt=0, le=366)] = 7
    seed: int = 7
    mention_poll_minutes: Annotated[float, Field(gt=0)] = MENTION_POLL_MINUTES
    faults: dict[FaultKind, Annotated[float, Field(gt=0, le=1000)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _shares_are_shares(self) -> Self:
        for kind in SHARES & self.faults.keys():
            if self.faults[kind] > 1 / 2:
                raise ValueError(f"{kind}: at most half of them, 0.5, can go wrong")
        return self

    @property
    def end(self) -> datetime:
        """When it is over."""
        return FIRST_MOMENT + timedelta(days=self.days)


def read_faults(text: str) -> dict[FaultKind, float]:
    """Return the faults that `crashes,lost-replies=0.02` names, with their rates.

    Raises:
        ConfigurationError: there is no such fault, or its rate is no number.

    """
    faults: dict[FaultKind, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, rate = part.partition("=")
        try:
            kind = FaultKind(name.strip())
        except ValueError:
            known = ", ".join(FaultKind)
            raise ConfigurationError(f"no fault {name.strip()!r}; there are: {known}") from None
        try:
            faults[kind] = float(rate) if rate else USUAL_RATES[kind]
        except ValueError:
            raise ConfigurationError(f"{kind}: the rate {rate!r} is no number") from None
    return faults
