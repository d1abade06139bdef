"""Memories as rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import BigInteger, Connection, Integer, Table, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from puppet_engine.core.errors import MemoryNotFoundError
from puppet_engine.core.models import Memory, StoredMemory
from puppet_engine.storage.gateway import Proposals, Storage
from puppet_engine.storage.remembering import add_memory
from puppet_engine.storage.rows import READ, read_memory

AROUND: Final = (-2, -1, 1, 2)
"""Which turns of a conversation stand near another: two before it, and two after."""

_NOTHING: Final[Mapping[int, int | None]] = MappingProxyType({})


class Found(NamedTuple):
    """What is weighed of a memory that may answer."""

    place: int
    """Its number among all memories; a later one has a higher."""
    content: str
    moment: datetime
    """When it occurred."""
    importance: float = 0.5
    speaker: str | None = None
    conversation: str | None = None
    dense: float = 0.0
    """How near its meaning is, from 0 to 1 among what was found; 0 when that is not known."""
    near: Mapping[int, int | None] = MappingProxyType({})
    """The places of the turns around it, by their distance; none: it was not found itself."""
    cosine: float = 0.0
    """Of its meaning and that of the query, from -1 to 1; 0 when that is not known."""


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What is looked for among an agent's memories."""

    query: str
    depth: int
    """How many of those that match, by meaning or by words, are looked at."""
    with_talk: int
    """Of how many of these the turns around them are looked at, too."""
    newest: int
    """How many of the newest are, whether they match or not."""
    spans: Sequence[tuple[datetime, datetime]] = ()
    """Times of which what occurred is looked at; each ends before its second moment."""


Choice: TypeAlias = Callable[[list[Found]], list[int]]
"""Returns the places of those that answer, best first."""


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


async def recalled(
    storage: Storage, agent_id: str, sought: Sought, choose: Choice
) -> list[StoredMemory]:
    """Return the memories of an agent that `choose` chooses, in its order.

    It gets, in no order, what may answer: the best of those that match by meaning or words, the
    newest, and of what occurred in each span as many as `depth`; and the turns around the best.
    """

    def weigh(session: Session, proposals: Proposals) -> list[StoredMemory]:
        connection = session.connection()
        found = _found(connection, storage, agent_id, sought, proposals)
        chosen = choose(found)
        rows = connection.execute(storage.statement(_at), _places(storage, chosen))
        memories = {row.sequence: read_memory(row) for row in rows}
        return [memories[place] for place in chosen]

    readable = sought.query.encode(errors="replace").decode()
    return await storage.propose(readable, owner=agent_id, depth=sought.depth, weigh=weigh)


def _found(
    connection: Connection,
    storage: Storage,
    agent_id: str,
    sought: Sought,
    proposals: Proposals,
) -> list[Found]:
    dense = {int(key): share for key, share in proposals.get("dense", {}).items()}
    matching = {int(key): share for key, share in proposals.get("text", {}).items()}
    both = {place: dense.get(place, 0.0) + matching.get(place, 0.0) for place in dense | matching}
    best = sorted(both, key=lambda place: (-both[place], place))[: sought.depth]
    asked = {"agent": agent_id, "most": sought.newest}
    lately = connection.scalars(storage.statement(_newest_places), asked).all()
    then = [
        place
        for begin, end in sought.spans
        for place in connection.scalars(
            storage.statement(_within),
            {"agent": agent_id, "most": sought.depth, "begin": begin, "end": end},
        )
    ]
    near = _near(connection, storage, sorted({*best[: sought.with_talk], *then}))
    around = {one for turns in near.values() for one in turns.values() if one}
    places = {*best, *lately, *then, *around}
    rows = connection.execute(storage.statement(_weighed), _places(storage, sorted(places)))
    cosines = {int(key): cosine for key, cosine in proposals.get("cosine", {}).items()}
    return [
        Found._make(
            (
                *row,
                dense.get(row[0], 0.0),
                near.get(row[0], _NOTHING),
                cosines.get(row[0], 0.0),
            )
        )
        for row in rows.all()
    ]


def _near(
    connection: Connection, storage: Storage, places: Sequence[int]
) -> dict[int, dict[int, int | None]]:
    """Return the turns around memories that are there, by the place of each."""
    statement = storage.statement(_around)
    rows = connection.execute(statement, _places(storage, places)).all()
    return {place: dict(zip(AROUND, around, strict=True)) for place, *around in rows}


def _table(storage: Storage) -> Table:
    table: Table = storage.model("Memory").__table__
    return table


def _newest(storage: Storage) -> Any:
    """Return what `read_memory` reads, and no more: many are read in every turn."""
    table = _table(storage)
    columns = (table.c[name] for name in READ)
    of_agent = select(*columns).where(table.c.agent_id == bindparam("agent"))
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
    return select(table).where(_is_there(storage, table))


def _weighed(storage: Storage) -> Any:
    """Return the columns of `Found`, in its order."""
    table = _table(storage)
    columns = (
        table.c.sequence,
        table.c.content,
        func.coalesce(table.c.occurred_at, table.c.created_at),
        table.c.importance,
        table.c.speaker,
        table.c.conversation_id,
    )
    return select(*columns).where(_is_there(storage, table)).order_by(table.c.sequence)


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
    return select(table.c.sequence, *turns).where(_is_there(storage, table))


def _is_there(storage: Storage, table: Table) -> Any:
    """Return that a row is at one of some places: as one parameter, for many take long to bind."""
    if storage.dialect == "sqlite":
        return table.c.sequence.in_(text("SELECT value FROM json_each(:places)"))
    return table.c.sequence == func.any(bindparam("places", type_=ARRAY(BigInteger)))


def _places(storage: Storage, places: Sequence[int]) -> dict[str, Any]:
    """Return the parameter of `_is_there`."""
    return {"places": str(list(places)) if storage.dialect == "sqlite" else list(places)}


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
