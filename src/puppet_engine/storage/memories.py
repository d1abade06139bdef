"""Memories as rows."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from puppet_engine.core.errors import MemoryNotFoundError
from puppet_engine.core.models import Memory, StoredMemory
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.rows import add_memory, read_memory


async def keep(storage: Storage, agent_id: str, memory: Memory) -> str:
    """Keep a memory, committed, and return its id."""
    return await storage.run(lambda session: add_memory(session, storage, agent_id, memory))


async def newest(storage: Storage, agent_id: str, *, limit: int | None) -> list[StoredMemory]:
    """Return an agent's memories, newest first; all of them without a limit."""
    model = storage.model("Memory")
    query = select(model).where(model.agent_id == agent_id).order_by(model.sequence.desc())
    query = query.limit(limit)
    return await storage.read(lambda session: [read_memory(row) for row in session.scalars(query)])


async def forget(storage: Storage, agent_id: str, memory_id: str) -> None:
    """Delete a memory.

    Raises:
        MemoryNotFoundError: the agent has no memory of that id.

    """
    model = storage.model("Memory")
    query = select(model).where(model.agent_id == agent_id, model.id == memory_id)

    def work(session: Session) -> None:
        row = session.scalar(query)
        if row is None:
            raise MemoryNotFoundError(agent_id, memory_id)
        session.delete(row)

    await storage.run(work)
