"""Rows as nouns, and nouns as rows."""

from typing import Any, Final

from sqlalchemy import Insert, Table, insert
from sqlalchemy.dialects import postgresql, sqlite

from puppet_engine.core.circumstances import Circumstances
from puppet_engine.core.ids import AgentId, IntentId, MemoryId
from puppet_engine.core.models import (
    Intent,
    IntentState,
    Memory,
    MemoryType,
    Quarantined,
    StoredMemory,
)
from puppet_engine.core.provenance import trust_of
from puppet_engine.storage.gateway import Storage


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
        "trust": trust_of(memory.metadata).value,
        "origin": said.origin,
        "id": storage.ids(),
        "agent_id": agent_id,
        "type": memory.type.value,
        "content": memory.content,
        "importance": memory.importance,
        "details": memory.metadata,
        "created_at": now,
    }


def quarantine_row(storage: Storage, agent_id: str, held: Quarantined) -> dict[str, Any]:
    """Return the columns of what is kept apart."""
    memory = held.memory
    return {
        "id": storage.ids(),
        "agent_id": agent_id,
        "type": memory.type.value,
        "content": memory.content,
        "importance": memory.importance,
        "details": memory.metadata,
        "speaker": Circumstances.of(memory.metadata).speaker,
        "reasons": [reason.value for reason in held.reasons],
        "created_at": storage.clock.now(),
    }


def upsert(storage: Storage, table: Table) -> Any:
    """Return the statement that inserts a row, or takes the place of the one of its key."""
    inserted = (postgresql if storage.dialect == "postgresql" else sqlite).insert(table)
    keys = [column.name for column in table.primary_key]
    others = {c.name: inserted.excluded[c.name] for c in table.columns if c.name not in keys}
    return inserted.on_conflict_do_update(index_elements=keys, set_=others)


READ: Final = (
    *("id", "agent_id", "type", "content", "importance", "details", "created_at"),
    "person_id",  # by whose key it is sealed
)
"""The columns of a memory that `read_memory` needs."""


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
