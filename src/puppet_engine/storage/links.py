"""Links between memories, read back."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, Table, bindparam, or_, select

from puppet_engine.core.provenance import Disagreement, LinkKind, MemoryLink
from puppet_engine.storage.gateway import Storage

_DISAGREEING: Final = (LinkKind.SUPERSEDES.value, LinkKind.CONTRADICTS.value)


async def links(storage: Storage, agent_id: str, memory_id: str) -> list[MemoryLink]:
    """Return what a memory has to do with others, in the order in which it was noted."""
    asked = {"agent": agent_id, "ids": [memory_id]}
    return await storage.read(
        lambda session: [
            MemoryLink(kind=LinkKind(row.kind), to=row.to_id)
            for row in session.connection().execute(storage.statement(_from), asked).all()
        ]
    )


async def disagreements(
    storage: Storage, agent_id: str, memory_ids: Sequence[str]
) -> list[Disagreement]:
    """Return which of some memories say otherwise than others, or are said to be past."""
    asked = {"agent": agent_id, "ids": list(memory_ids)}
    return await storage.read(
        lambda session: [
            Disagreement(kind=LinkKind(row.kind), memory=row.from_id, other=row.to_id)
            for row in session.connection().execute(storage.statement(_touching), asked).all()
        ]
    )


def _from(storage: Storage) -> Any:
    table = _table(storage)
    return _of_agent(table).where(table.c.from_id.in_(bindparam("ids", expanding=True)))


def _touching(storage: Storage) -> Any:
    table = _table(storage)
    ids: BindParameter[Any] = bindparam("ids", expanding=True)
    touching = or_(table.c.from_id.in_(ids), table.c.to_id.in_(ids))
    return _of_agent(table).where(table.c.kind.in_(_DISAGREEING), touching)


def _of_agent(table: Table) -> Any:
    return (
        select(table.c.from_id, table.c.to_id, table.c.kind)
        .where(table.c.agent_id == bindparam("agent"))
        .order_by(table.c.number)
    )


def _table(storage: Storage) -> Table:
    table: Table = storage.model("MemoryLink").__table__
    return table
