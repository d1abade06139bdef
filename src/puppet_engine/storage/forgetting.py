"""What comes to mind, and what is let go: the use of memories, and their end, as rows."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    CursorResult,
    Delete,
    Table,
    TextClause,
    bindparam,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.orm import Session

from puppet_engine.core.provenance import Trust
from puppet_engine.core.remembrance import Remembrance
from puppet_engine.storage.gateway import Storage

_AT_ONCE: Final = 500


async def count(storage: Storage, agent_id: str) -> int:
    """Return how many memories an agent has."""
    asked = {"agent": agent_id}
    return await storage.read(
        lambda session: int(session.connection().scalar(storage.statement(_counted), asked) or 0)
    )


async def remembrances(storage: Storage, agent_id: str) -> list[Remembrance]:
    """Return what is known of each memory of an agent, but for its links; oldest first."""
    asked = {"agent": agent_id}

    def work(session: Session) -> list[Remembrance]:
        found = session.connection().execute(storage.statement(_all), asked)
        return [
            Remembrance(
                id=row.id,
                content=row.content,
                type=row.type,
                importance=row.importance,
                moment=row.moment,
                speaker=row.speaker,
                trust=_trust(row),
                uses=row.uses or 0,
                used_at=row.used_at,
            )
            for row in storage.opened(_table(storage, "Memory"), found)
        ]

    return await storage.read(work)


def _trust(row: Any) -> Trust:
    """Return by whose words a memory is; of one from before that was noted, what is likely."""
    if row.trust is not None:
        return Trust(row.trust)
    return Trust.OPERATOR if row.speaker is None else Trust.STRANGER


def note_uses(
    session: Session, storage: Storage, agent_id: str, memory_ids: Sequence[str]
) -> None:
    """Note that memories came to mind."""
    now = storage.clock.now()
    rows = [{"memory": one, "agent": agent_id, "at": now} for one in sorted(set(memory_ids))]
    if rows:
        session.connection().execute(storage.statement(_used), rows)


def let_go(session: Session, storage: Storage, agent_id: str, memory_ids: Sequence[str]) -> int:
    """Delete memories with all that is known of their use, and return how many were there.

    What was made of them stays, and so do its links to them: they tell that there was something.
    """
    connection, gone = session.connection(), 0
    for start in range(0, len(memory_ids), _AT_ONCE):
        given = {"agent": agent_id, "ids": list(memory_ids[start : start + _AT_ONCE])}
        deleted: CursorResult[Any] = connection.execute(storage.statement(_gone), given)
        gone += deleted.rowcount
        connection.execute(storage.statement(_links_gone), given)
        connection.execute(storage.statement(_uses_gone), given)
    return gone


def _counted(storage: Storage) -> Any:
    table = _table(storage, "Memory")
    return select(func.count()).select_from(table).where(table.c.agent_id == bindparam("agent"))


def _all(storage: Storage) -> Any:
    memories, uses = _table(storage, "Memory"), _table(storage, "MemoryUse")
    return (
        select(
            memories.c.id,
            memories.c.content,
            memories.c.type,
            memories.c.importance,
            func.coalesce(memories.c.occurred_at, memories.c.created_at).label("moment"),
            memories.c.speaker,
            memories.c.trust,
            memories.c.person_id,
            uses.c.uses,
            uses.c.used_at,
        )
        .join_from(memories, uses, uses.c.memory_id == memories.c.id, isouter=True)
        .where(memories.c.agent_id == bindparam("agent"))
        .order_by(memories.c.sequence)
    )


def _used(storage: Storage) -> TextClause:
    table = _table(storage, "MemoryUse")
    return text(
        "INSERT INTO memory_uses (memory_id, agent_id, uses, used_at)"
        " VALUES (:memory, :agent, 1, :at)"
        " ON CONFLICT (memory_id) DO UPDATE"
        " SET uses = memory_uses.uses + 1, used_at = excluded.used_at"
    ).bindparams(bindparam("at", type_=table.c.used_at.type))


def _gone(storage: Storage) -> Delete:
    return _of_ids(_table(storage, "Memory"), "id")


def _links_gone(storage: Storage) -> Delete:
    return _of_ids(_table(storage, "MemoryLink"), "from_id")


def _uses_gone(storage: Storage) -> Delete:
    return _of_ids(_table(storage, "MemoryUse"), "memory_id")


def _of_ids(table: Table, column: str) -> Delete:
    chosen = table.c[column].in_(bindparam("ids", expanding=True))
    return delete(table).where(table.c.agent_id == bindparam("agent"), chosen)


def _table(storage: Storage, name: str) -> Table:
    table: Table = storage.model(name).__table__
    return table
