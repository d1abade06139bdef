"""Rows as nouns, and nouns as rows."""

from collections.abc import Iterator
from itertools import count
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from puppet_engine.core.ids import AgentId, IntentId, MemoryId
from puppet_engine.core.models import (
    Event,
    Intent,
    IntentState,
    Memory,
    MemoryType,
    StoredMemory,
)
from puppet_engine.storage.gateway import Storage

_ONE_SETTLES_AT_A_TIME: Final = select(func.pg_advisory_xact_lock(func.hashtext("puppet_engine.settled_as")))


def settle_event(session: Session, storage: Storage, event: Event, *, error: str) -> None:
    """Mark an event as over. One that is over already stays as it is."""
    model = storage.model("Event")
    number = next_settlements(session, storage)
    row = session.get(model, event.sequence, with_for_update=True)
    if row is not None and row.settled_at is None:
        row.settled_at, row.settled_as = storage.clock.now(), next(number)
        row.error = error or None


def next_settlements(session: Session, storage: Storage) -> Iterator[int]:
    """Return the numbers of the events that this transaction settles.

    They follow the order of the commits, also when several processes write:
    SQLite lets one transaction write at a time, and so does this lock of PostgreSQL's.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_ONE_SETTLES_AT_A_TIME)
    settled_as = storage.model("Event").settled_as
    # The end of an index, not a scan.
    return count((session.scalar(select(func.max(settled_as))) or 0) + 1)


def add_memory(session: Session, storage: Storage, agent_id: str, memory: Memory) -> str:
    """Keep a memory, and return its id."""
    row = memory_row(storage, agent_id, memory)
    session.add(storage.model("Memory")(**row))
    return str(row["id"])


def memory_row(storage: Storage, agent_id: str, memory: Memory) -> dict[str, Any]:
    """Return the columns of a memory that is to be kept."""
    return {
        "id": storage.ids(),
        "agent_id": agent_id,
        "type": memory.type.value,
        "content": memory.content,
        "importance": memory.importance,
        "details": memory.metadata,
        "created_at": storage.clock.now(),
    }


def read_memory(row: Any) -> StoredMemory:
    """Return a memory as it stands in its row."""
    return StoredMemory(
        id=MemoryId(row.id),
        agent_id=AgentId(row.agent_id),
        type=MemoryType(row.type),
        content=row.content,
        importance=row.importance,
        metadata=row.details,
        created_at=row.created_at,
    )


def read_intent(row: Any) -> Intent:
    """Return an intent as it stands in its row."""
    return Intent(
        id=IntentId(row.id),
        agent_id=AgentId(row.agent_id),
        kind=row.kind,
        payload=row.payload,
        created_at=row.created_at,
        state=IntentState(row.state),
        journal=row.journal,
        result=row.result,
    )
