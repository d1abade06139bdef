"""Memories as rows."""

from typing import Any

from sqlalchemy import Integer, Table, bindparam, select
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
    query = storage.statement(_all if limit is None else _newest)
    asked = {"agent": agent_id, "most": limit}
    return await storage.read(
        lambda session: [read_memory(row) for row in session.connection().execute(query, asked)]
    )


def _all(storage: Storage) -> Any:
    table: Table = storage.model("Memory").__table__
    of_agent = select(table).where(table.c.agent_id == bindparam("agent"))
    return of_agent.order_by(table.c.sequence.desc())


def _newest(storage: Storage) -> Any:
    return _all(storage).limit(bindparam("most", type_=Integer))


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
