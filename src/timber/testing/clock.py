"""A clock that stands still until it is told to move."""

from datetime import UTC, datetime, timedelta
from typing import Final

MORNING: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""When a frozen clock starts, unless told otherwise: a Monday."""


class FrozenClock:
    """A `Clock` whose time is what the test says."""

    def __init__(self, start: datetime = MORNING) -> None:
        self._now = _aware(start)

    def now(self) -> datetime:
        """Return the moment at which the clock stands, in UTC."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Stand at that moment; it may lie in the past.

        Raises:
            ValueError: it has no time zone.

        """
        self._now = _aware(moment)

    def advance(self, by: timedelta | float) -> datetime:
        """Move by that much, a number meaning seconds, and return the new moment."""
        self._now += by if isinstance(by, timedelta) else timedelta(seconds=by)
        return self._now


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone: write datetime(..., tzinfo=UTC)")
    return moment.astimezone(UTC)
