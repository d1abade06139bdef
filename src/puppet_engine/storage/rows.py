"""Rows as nouns, and nouns as rows."""

from typing import Any

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


def settle_event(session: Session, storage: Storage, event: Event, *, error: str) -> None:
    """Mark an event as over. One that is over already stays as it is."""
    model = storage.model("Event")
    row = session.get(model, event.sequence)
    if row is not None and row.settled_at is None:
        last = session.scalar(select(func.max(model.settled_as))) or 0
        row.settled_at, row.settled_as, row.error = storage.clock.now(), last + 1, error or None


def add_memory(session: Session, storage: Storage, agent_id: str, memory: Memory) -> str:
    """Keep a memory, and return its id."""
    row = storage.model("Memory")(
        id=storage.ids(),
        agent_id=agent_id,
        type=memory.type.value,
        content=memory.content,
        importance=memory.importance,
        details=memory.metadata,
        created_at=storage.clock.now(),
    )
    session.add(row)
    return str(row.id)


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
