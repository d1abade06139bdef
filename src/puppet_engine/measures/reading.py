"""What a measure says: a figure, the line it is held to, and whether it holds."""

from collections.abc import Sequence
from typing import Final, Literal

from puppet_engine.core.nouns import Noun

CAST: Final = "the cast"
CROWD: Final = "a crowd"
"""Personas out of a seed, beside the cast."""


class Reading(Noun):
    """One figure, and the line it is held to."""

    of: str
    """What it says, as `hard rules kept`."""
    whose: str
    """A handle, `the cast`, or `a crowd`."""
    value: float
    line: str
    """What it must be, in words and figures; nothing for a figure that is only told."""
    holds: bool
    count: int
    """Over how many it was taken: texts, pairs, moments."""
    unit: Literal["share", "number"] = "number"

    @property
    def figure(self) -> str:
        """The value as people read it."""
        return f"{self.value:.2%}" if self.unit == "share" else f"{self.value:,.4g}"

    @property
    def owner(self) -> str:
        """Whose it is as people read it: handles have their sign."""
        return self.whose if self.whose in (CAST, CROWD) else f"@{self.whose}"


def hold(readings: Sequence[Reading]) -> bool:
    """Return whether everything that is held to a line is within it; of nothing, nothing holds."""
    return bool(readings) and all(reading.holds for reading in readings)


def told(
    of: str,
    value: float,
    *,
    count: int,
    whose: str = CAST,
    unit: Literal["share", "number"] = "number",
) -> Reading:
    """Return a figure that is told and held to no line."""
    return Reading(of=of, whose=whose, value=value, line="", holds=True, count=count, unit=unit)
