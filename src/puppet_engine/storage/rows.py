"""Rows as nouns, and nouns as rows."""

from typing import Any

from sqlalchemy import Insert, insert
from sqlalchemy.orm import Session

from puppet_engine.core.circumstances import Circumstances
from puppet_engine.core.ids import AgentId, IntentId, MemoryId
from puppet_engine.core.models import (
    Intent,
    IntentState,
    Memory,
    MemoryType,
    StoredMemory,
)
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.people import identify


def add_memory(session: Session, storage: Storage, agent_id: str, memory: Memory) -> str:
    """Keep a memory, and return its id."""
    row = memory_row(storage, agent_id, memory)
    identify(session, storage, memories=[row])
    session.connection().execute(storage.statement(new_memory), row)
    return str(row["id"])


def new_memory(storage: Storage) -> Insert:
    """Return the statement that keeps the row of a memory."""
    return insert(storage.model("Memory").__table__)


def memory_row(storage: Storage, agent_id: str, memory: Memory) -> dict[str, Any]:
    """Return the columns of a memory that is to be kept."""
    now = storage.clock.now()
    said = Circumstances.of(memory.metadata)
    return {
        "conversation_id": said.conversation_id,
        "speaker": said.speaker,
        "occurred_at": said.occurred_at or now,
        "id": storage.ids(),
        "agent_id": agent_id,
        "type": memory.type.value,
        "content": memory.content,
        "importance": memory.importance,
        "details": memory.metadata,
        "created_at": now,
    }


def read_memory(row: Any) -> StoredMemory:
    """Return a memory as it stands in its row, which was checked when it was kept."""
    return StoredMemory.model_construct(
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
