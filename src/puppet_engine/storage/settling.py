"""Events that are over: each once, numbered in the order in which they were."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, Final

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.orm import Session

from puppet_engine.core.models import Event
from puppet_engine.storage.gateway import Storage

Settlement = tuple[Event, str]
"""An event, and why it could not be handled; empty when it was."""

_ONE_SETTLES_AT_A_TIME: Final = select(
    func.pg_advisory_xact_lock(func.hashtext("puppet_engine.settled_as"))
)


def settle_event(session: Session, storage: Storage, event: Event, *, error: str) -> None:
    """Mark an event as over. One that is over already stays as it is."""
    settle_events(session, storage, [(event, error)])


def settle_events(
    session: Session, storage: Storage, settlements: Sequence[Settlement]
) -> list[bool]:
    """Mark events as over, and say of each whether it was not before."""
    if not settlements:
        return []
    session.flush()
    table: Table = storage.model("Event").__table__
    numbers = _numbers(session, table)
    wanted = [event.sequence for event, _ in settlements]
    pending = select(table.c.sequence).where(
        table.c.sequence.in_(wanted), table.c.settled_at.is_(None)
    )
    open_ones = set(session.connection().execute(pending.with_for_update()).scalars())
    was_open, changes, now = [], [], storage.clock.now()
    for event, error in settlements:
        was_open.append(event.sequence in open_ones)
        if event.sequence in open_ones:
            open_ones.remove(event.sequence)
            changes.append({"of": event.sequence, "as": next(numbers), "why": error or None})
    if changes:
        over: dict[str, Any] = {
            "settled_at": now,
            "settled_as": bindparam("as"),
            "error": bindparam("why"),
        }
        statement = update(table).where(table.c.sequence == bindparam("of")).values(over)
        session.connection().execute(statement, changes)
    return was_open


def _numbers(session: Session, table: Table) -> Iterator[int]:
    """Return the numbers of the events that this transaction settles.

    They follow the order of the commits, also when several processes write:
    SQLite lets one transaction write at a time, and so does this lock of PostgreSQL's.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(_ONE_SETTLES_AT_A_TIME)
    # The end of an index, not a scan.
    last = connection.scalar(select(func.max(table.c.settled_as)))
    return count((last or 0) + 1)
