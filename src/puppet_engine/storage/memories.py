"""Memories as rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Integer, Table, bindparam, select
from sqlalchemy.orm import Session

from puppet_engine.core.errors import MemoryNotFoundError
from puppet_engine.core.models import Memory, StoredMemory
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.rows import add_memory, read_memory

AROUND: Final = (-2, -1, 1, 2)
"""Which turns of a conversation stand near another: two before it, and two after."""


@dataclass(frozen=True, slots=True)
class Found:
    """A memory that may answer, and what is known of how well."""

    place: int
    """Its number among all memories; a later one has a higher."""
    memory: StoredMemory
    dense: float = 0.0
    """How near its meaning is, from 0 to 1 among what was found; 0 when that is not known."""
    text: float = 0.0
    """How well its words match, from 0 to 1 among what was found; told by who weighs them."""
    near: Mapping[int, int | None] | None = None
    """The places of the turns around it, by their distance; None: it was not found itself."""


async def keep(storage: Storage, agent_id: str, memory: Memory) -> str:
    """Keep a memory, committed, and return its id."""
    return await storage.run(lambda session: add_memory(session, storage, agent_id, memory))


async def newest(storage: Storage, agent_id: str, *, limit: int) -> list[StoredMemory]:
    """Return an agent's memories, newest first."""
    query = storage.statement(_newest)
    asked = {"agent": agent_id, "most": limit}
    return await storage.read(
        lambda session: [read_memory(row) for row in session.connection().execute(query, asked)]
    )


async def found(
    storage: Storage,
    agent_id: str,
    query: str,
    *,
    depth: int,
    newest: int,
    spans: Sequence[tuple[datetime, datetime]] = (),
) -> list[Found]:
    """Return what may answer a query, in no order, with the turns around it.

    The best `depth` of those that match by meaning or words, the `newest`, and as many as `depth`
    of what occurred in each of some `spans`, which end before their second moment.
    """
    results = await _search(storage, agent_id, query, depth)
    marks = {int(one["source_id"]): one["explain"] for one in results}

    def work(session: Session) -> list[Found]:
        connection = session.connection()
        asked = {"agent": agent_id, "most": newest}
        lately = connection.scalars(storage.statement(_newest_places), asked).all()
        then = [
            place
            for begin, end in spans
            for place in connection.scalars(
                storage.statement(_within),
                {"agent": agent_id, "most": depth, "begin": begin, "end": end},
            )
        ]
        near = _near(connection, storage, sorted({*marks, *lately, *then}))
        places = {*near, *(one for around in near.values() for one in around.values() if one)}
        return [
            Found(
                place=row.sequence,
                memory=read_memory(row),
                dense=_nearness(marks.get(row.sequence)),
                near=near.get(row.sequence),
            )
            for row in _rows(connection, storage, places)
        ]

    return await storage.read(work)


async def _search(storage: Storage, agent_id: str, query: str, depth: int) -> list[dict[str, Any]]:
    if not query or query.isspace():
        return []
    readable = query.encode(errors="replace").decode()
    return await storage.search("Memory", readable, owner=agent_id, limit=depth)


def _nearness(explained: Mapping[str, Any] | None) -> float:
    mark = (explained or {}).get("dense")
    return 0.0 if mark is None else float(mark["share"])


def _near(
    connection: Connection, storage: Storage, places: Sequence[int]
) -> dict[int, dict[int, int | None]]:
    """Return the turns around memories that are there, by the place of each."""
    statement = storage.statement(_around)
    rows = connection.execute(statement, {"places": places})
    return {place: dict(zip(AROUND, around, strict=True)) for place, *around in rows}


def _rows(connection: Connection, storage: Storage, places: Iterable[int]) -> Sequence[Any]:
    return connection.execute(storage.statement(_at), {"places": sorted(places)}).all()


def _table(storage: Storage) -> Table:
    table: Table = storage.model("Memory").__table__
    return table


def _newest(storage: Storage) -> Any:
    table = _table(storage)
    of_agent = select(table).where(table.c.agent_id == bindparam("agent"))
    ordered = of_agent.order_by(table.c.sequence.desc())
    return ordered.limit(bindparam("most", type_=Integer))


def _newest_places(storage: Storage) -> Any:
    return _newest(storage).with_only_columns(_table(storage).c.sequence)


def _within(storage: Storage) -> Any:
    table = _table(storage)
    of_agent = select(table.c.sequence).where(table.c.agent_id == bindparam("agent"))
    since = of_agent.where(table.c.occurred_at >= bindparam("begin"))
    within = since.where(table.c.occurred_at < bindparam("end"))
    return within.order_by(table.c.occurred_at.desc()).limit(bindparam("most", type_=Integer))


def _at(storage: Storage) -> Any:
    table = _table(storage)
    chosen = table.c.sequence.in_(bindparam("places", expanding=True))
    return select(table).where(chosen).order_by(table.c.sequence)


def _around(storage: Storage) -> Any:
    table = _table(storage)

    def turn(distance: int) -> Any:
        other = table.alias()
        is_before = distance < 0
        beyond = other.c.sequence < table.c.sequence
        of_conversation = (
            select(other.c.sequence)
            .where(other.c.agent_id == table.c.agent_id)
            .where(other.c.conversation_id == table.c.conversation_id)
            .where(beyond if is_before else other.c.sequence > table.c.sequence)
        )
        order = other.c.sequence.desc() if is_before else other.c.sequence
        nearest = of_conversation.order_by(order).offset(abs(distance) - 1).limit(1)
        return nearest.correlate(table).scalar_subquery()

    turns = [turn(distance).label(f"turn_{place}") for place, distance in enumerate(AROUND)]
    chosen = table.c.sequence.in_(bindparam("places", expanding=True))
    return select(table.c.sequence, *turns).where(chosen)


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
