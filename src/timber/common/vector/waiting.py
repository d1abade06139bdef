"""What waits: how much of it, and for how long when it has failed."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

_LONGEST_SECONDS: Final = 300
_LONGEST_NAME: Final = 255


@dataclass(frozen=True)
class Processed:
    """What was done of what was waiting."""

    rows: int
    """How many entries of the list of written rows were read."""
    chunks: int
    """How many pieces were given to the embedder."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What of all that waits is to be done now."""

    only: Collection[str] | None = None
    """Of which sources; None: of all."""
    owner: str | None = None
    """Whose; None: of all, and of none. Of an owner, what others are at is waited for."""
    newest_first: bool = False


ALL: Final = Wanted()


def next_attempt(now: datetime, attempts: int) -> datetime:
    """Return when something is tried again that has failed so often: later each time."""
    return now + timedelta(seconds=min(_LONGEST_SECONDS, 2 ** min(attempts, 20)))


def named(error: Exception) -> str:
    """Return what kind of error it is; its text may quote what was stored."""
    return type(error).__name__[:_LONGEST_NAME]


def counting(
    table: Table, condition: ColumnElement[bool], source_types: Collection[str] | None
) -> Select[Any]:
    """Return what counts the entries of a list, that meet what is asked, of each source."""
    statement = select(table.c.source_type, func.count()).where(condition)
    if source_types is not None:
        statement = statement.where(table.c.source_type.in_(source_types))
    return statement.group_by(table.c.source_type)


def counted(
    connection: Connection, lists: Iterable[Select[Any]], given: Mapping[str, Any]
) -> dict[str, int]:
    """Return how many entries of lists each source has in all, as `counting` counts them."""
    found: Counter[str] = Counter()
    for counts in lists:
        for name, count in connection.execute(counts, given):
            found[name] += count
    return dict(found)
