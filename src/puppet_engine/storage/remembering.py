"""Keeping memories, with all that follows from them: links to others, and facts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Delete, Insert, Table, bindparam, delete, insert, select
from sqlalchemy.orm import Session

from puppet_engine.core.models import Memory, Quarantined
from puppet_engine.core.provenance import MemoryLink
from puppet_engine.storage.facts import Told, keep_claims, told_in
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.people import identify, of_memories
from puppet_engine.storage.rows import memory_row, new_memory, quarantine_row

Row = dict[str, Any]

MOST_HELD: Final = 1_000
"""How much is kept apart of what an agent was told; of more, the oldest goes."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A memory that is to be kept: its row, and what follows from it."""

    agent_id: str
    row: Row
    links: tuple[MemoryLink, ...]
    told: tuple[Told, ...]

    @property
    def id(self) -> str:
        return str(self.row["id"])


def remembered(storage: Storage, agent_id: str, memory: Memory) -> Remembered:
    """Return a memory as it is to be kept; its id is drawn here."""
    row = memory_row(storage, agent_id, memory)
    told = tuple(told_in(storage, agent_id, row["id"], memory))
    return Remembered(agent_id, row, memory.links, told)


def keep_memories(session: Session, storage: Storage, memories: Sequence[Remembered]) -> None:
    """Keep memories whose persons are identified, all of them or none."""
    if not memories:
        return
    rows = [one.row for one in memories]
    session.connection().execute(storage.statement(new_memory), rows)
    links = [(one.agent_id, one.id, link) for one in memories for link in one.links]
    links += keep_claims(session, storage, (told for one in memories for told in one.told))
    keep_links(session, storage, links)


def add_memory(session: Session, storage: Storage, agent_id: str, memory: Memory) -> str:
    """Keep a memory, and return its id."""
    kept = remembered(storage, agent_id, memory)
    identify(session, storage, of_memories([kept.row]))
    keep_memories(session, storage, [kept])
    return kept.id


def keep_links(
    session: Session, storage: Storage, links: Iterable[tuple[str, str, MemoryLink]]
) -> None:
    """Keep links: of whom, from which memory, and where to."""
    rows = [
        {"agent_id": agent_id, "from_id": begin, "to_id": link.to, "kind": link.kind.value}
        for agent_id, begin, link in links
    ]
    if rows:
        session.connection().execute(storage.statement(_new_link), rows)


def quarantined(storage: Storage, agent_id: str, held: Iterable[Quarantined]) -> list[Row]:
    """Return the rows of what is kept apart."""
    return [quarantine_row(storage, agent_id, one) for one in held]


def keep_apart(session: Session, storage: Storage, rows: Sequence[Row]) -> None:
    """Keep rows of what is kept apart, whose persons are identified, and no end of them.

    Of each agent the newest stay: who sends nonsense without end fills no disk.
    """
    if rows:
        connection = session.connection()
        connection.execute(storage.statement(_new_quarantined), rows)
        for agent_id in sorted({row["agent_id"] for row in rows}):
            connection.execute(storage.statement(_too_many), {"agent": agent_id})


def _new_link(storage: Storage) -> Insert:
    return insert(storage.model("MemoryLink").__table__)


def _too_many(storage: Storage) -> Delete:
    table: Table = storage.model("QuarantinedMemory").__table__
    of_agent = table.c.agent_id == bindparam("agent")
    newest = select(table.c.number).where(of_agent).order_by(table.c.number.desc())
    oldest_kept = newest.offset(MOST_HELD - 1).limit(1).scalar_subquery()
    return delete(table).where(of_agent, table.c.number < oldest_kept)


def _new_quarantined(storage: Storage) -> Insert:
    return insert(storage.model("QuarantinedMemory").__table__)
