"""Rows as nouns, and nouns as rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from puppet_engine.core.ids import AgentId, EventId, IntentId, MemoryId
from puppet_engine.core.models import (
    Event,
    EventDraft,
    Intent,
    IntentState,
    Memory,
    MemoryType,
    StoredMemory,
)
from puppet_engine.storage.gateway import Storage


def add_events(session: Session, storage: Storage, drafts: Sequence[EventDraft]) -> list[Event]:
    """Keep events that are to happen, and return them with their identities."""
    model = storage.model("Event")
    rows = [
        model(
            id=storage.ids(),
            type=draft.type,
            agent_id=draft.agent_id,
            due_at=draft.due_at,
            payload=draft.payload,
        )
        for draft in drafts
    ]
    session.add_all(rows)
    session.flush()
    return [read_event(row) for row in rows]


def read_event(row: Any) -> Event:
    """Return an event as it stands in its row."""
    return Event(
        id=EventId(row.id),
        sequence=row.sequence,
        type=row.type,
        agent_id=row.agent_id,
        due_at=row.due_at,
        payload=row.payload,
        failures=row.failures,
    )


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
        account=row.account,
        created_at=row.created_at,
        expires_at=row.expires_at,
        state=IntentState(row.state),
        attempts=row.attempts,
        failures=row.failures,
        begun_at=row.begun_at,
        not_before=row.not_before,
        error=row.error,
        cost=row.cost,
        journal=row.journal,
        result=row.result,
    )
