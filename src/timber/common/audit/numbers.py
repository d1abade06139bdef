"""Which of the numbers that triggers gave to their notes were chained."""

import json
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import Connection, select, text

from timber.common.audit.tables import PENDING


@dataclass
class Notes:
    """The numbers of notes, as far as they go without a gap, and those beyond.

    On SQLite each committed note has the number after the one before it, for a rollback takes
    numbers back. On PostgreSQL it leaves gaps, so there nothing is expected: a guard lets no note
    go that was not chained.
    """

    last: int = 0
    """The greatest number that was given."""
    _starts: list[int] = field(default_factory=list)
    """The first number of each span that is there, in order."""
    _ends: list[int] = field(default_factory=list)
    """The last number of each."""

    @classmethod
    def before_reading(cls, connection: Connection) -> Self:
        """Return what is expected of a log that is read after this.

        What is chained meanwhile is in the log by then, and what is not is still pending.
        """
        if connection.dialect.name != "sqlite":
            return cls()
        given = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        found = cls(connection.scalar(given, {"name": PENDING.name}) or 0)
        for number in connection.scalars(select(PENDING.c.sequence)):
            found.add(number)
        return found

    def chained(self, details: str) -> None:
        """Take what an entry says of its note."""
        if self.last and (number := json.loads(details).get("note")) is not None:
            self.add(number)

    def add(self, number: int) -> None:
        """Say that a note is there; spans that meet become one, so few are in memory."""
        after = bisect_right(self._starts, number)
        before = after - 1
        if not 0 < number <= self.last or (before >= 0 and number <= self._ends[before]):
            return
        follows = before >= 0 and self._ends[before] == number - 1
        precedes = after < len(self._starts) and self._starts[after] == number + 1
        if follows and precedes:
            self._ends[before] = self._ends.pop(after)
            self._starts.pop(after)
        elif follows:
            self._ends[before] = number
        elif precedes:
            self._starts[after] = number
        else:
            self._starts.insert(after, number)
            self._ends.insert(after, number)

    @property
    def gone(self) -> int:
        """How many notes are nowhere."""
        return self.last - sum(self._ends) + sum(self._starts) - len(self._starts)
