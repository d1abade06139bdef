"""What is kept apart from what agents remember: listed, released, deleted."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from puppet_engine.core.errors import QuarantinedNotFoundError
from puppet_engine.core.models import Memory, MemoryType, Noun
from puppet_engine.core.provenance import Reason, Trust
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.remembering import add_memory


class HeldMemory(Noun):
    """Something in quarantine."""

    id: str
    agent_id: str
    content: str
    speaker: str | None
    reasons: tuple[Reason, ...]
    created_at: datetime


async def held(
    storage: Storage, *, agent_id: str | None = None, limit: int = 100
) -> list[HeldMemory]:
    """Return what is in quarantine, of an agent or of all, newest first."""
    model = storage.model("QuarantinedMemory")
    query = select(model).order_by(model.number.desc()).limit(limit)
    if agent_id is not None:
        query = query.where(model.agent_id == agent_id)

    def work(session: Session) -> list[HeldMemory]:
        return [
            HeldMemory(
                id=row.id,
                agent_id=row.agent_id,
                content=row.content,
                speaker=row.speaker,
                reasons=tuple(map(Reason, row.reasons)),
                created_at=row.created_at,
            )
            for row in session.scalars(query)
        ]

    return await storage.read(work)


async def release(storage: Storage, quarantined_id: str, *, agent_id: str | None = None) -> str:
    """Let something in quarantine, of an agent or of any, become a memory; return its id.

    It is trusted as the operator is, who has looked at it.

    Raises:
        QuarantinedNotFoundError: there is no such thing.

    """

    def work(session: Session) -> str:
        row = _taken(session, storage, quarantined_id, agent_id)
        memory = Memory(
            content=row.content,
            type=MemoryType(row.type),
            importance=row.importance,
            metadata={**row.details, "trust": Trust.OPERATOR.value, "released": True},
        )
        return add_memory(session, storage, row.agent_id, memory)

    return await storage.run(work)


async def discard(storage: Storage, quarantined_id: str, *, agent_id: str | None = None) -> None:
    """Delete something in quarantine, of an agent or of any.

    Raises:
        QuarantinedNotFoundError: there is no such thing.

    """
    await storage.run(lambda session: _taken(session, storage, quarantined_id, agent_id))


def _taken(session: Session, storage: Storage, quarantined_id: str, agent_id: str | None) -> Any:
    """Take something out of quarantine, and return what it was."""
    model = storage.model("QuarantinedMemory")
    wanted = select(model).where(model.id == quarantined_id)
    if agent_id is not None:
        wanted = wanted.where(model.agent_id == agent_id)
    row = session.scalar(wanted.with_for_update())
    if row is None:
        raise QuarantinedNotFoundError(quarantined_id)
    session.delete(row)
    return row
