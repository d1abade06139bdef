"""Events that are over: each once, numbered in the order in which they were."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, Update, bindparam, func, select, update
from sqlalchemy.orm import Session

from puppet_engine.core.models import Event
from puppet_engine.storage.gateway import Storage

Settlement = tuple[Event, str]
"""An event, and why it could not be handled; empty when it was."""

Row = dict[str, Any]

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
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(_ONE_SETTLES_AT_A_TIME)
    now = storage.clock.now()
    rows = [{"of": one.sequence, "at": now, "why": error or None} for one, error in settlements]
    if len(rows) == 1:
        return [connection.execute(storage.statement(_next_over), rows[0]).rowcount == 1]
    return _settle_many(connection, storage, rows)


def _settle_many(connection: Connection, storage: Storage, rows: Sequence[Row]) -> list[bool]:
    wanted = {"wanted": [row["of"] for row in rows]}
    open_ones = set(connection.execute(storage.statement(_open), wanted).scalars())
    last = connection.scalar(storage.statement(_last))
    was_open: list[bool] = []
    changes: list[Row] = []
    for row in rows:
        was_open.append(row["of"] in open_ones)
        if row["of"] in open_ones:
            open_ones.remove(row["of"])
            changes.append(row | {"as": last + len(changes) + 1})
    if changes:
        connection.execute(storage.statement(_over), changes)
    return was_open


# ------------------------------------------------------------------ statements


def _last(storage: Storage) -> Any:
    """Ask for the number of the event that was over last: the end of an index, not a scan.

    Numbers follow the order of the commits, also when several processes write:
    SQLite lets one transaction write at a time, and so does `_ONE_SETTLES_AT_A_TIME`.
    """
    table: Table = storage.model("Event").__table__
    return select(func.coalesce(func.max(table.c.settled_as), 0))


def _open(storage: Storage) -> Any:
    table: Table = storage.model("Event").__table__
    wanted = table.c.sequence.in_(bindparam("wanted", expanding=True))
    return select(table.c.sequence).where(wanted, table.c.settled_at.is_(None)).with_for_update()


def _over(storage: Storage) -> Update:
    table: Table = storage.model("Event").__table__
    one = update(table).where(table.c.sequence == bindparam("of"))
    return one.values(
        settled_at=bindparam("at"), settled_as=bindparam("as"), error=bindparam("why")
    )


def _next_over(storage: Storage) -> Update:
    """One event over, if it is not yet, by one statement."""
    table: Table = storage.model("Event").__table__
    following = _last(storage).scalar_subquery() + 1
    pending = table.c.settled_at.is_(None)
    return _over(storage).where(pending).values(settled_as=following)
