"""Memories as rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import BigInteger, Connection, Integer, Table, bindparam, func, select, union
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from puppet_engine.core.errors import MemoryNotFoundError
from puppet_engine.core.models import Memory, StoredMemory
from puppet_engine.storage.gateway import Proposals, Storage
from puppet_engine.storage.remembering import add_memory
from puppet_engine.storage.rows import READ, read_memory

AROUND: Final = (-1, 1, 2)
"""Which turns of a conversation stand near another: the one before it, and two after.

Its words are lent to both of these; of the second before it the words count where it was found,
too, and lend nothing where it matches nothing."""

_NAMES: Final = tuple(f"turn_{number}" for number, _ in enumerate(AROUND))
_OF_ONE: Final = 6
"""How many columns tell of a memory itself …"""
_AROUND: Final = slice(_OF_ONE + 1, _OF_ONE + 1 + len(AROUND))
"""… and which of what is around it."""
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
    in_span: int
    """How much of each is: the newest."""


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
        lambda session: [
            read_memory(row)
            for row in storage.opened(_table(storage), session.connection().execute(query, asked))
        ]
    )


async def recalled(
    storage: Storage, agent_id: str, sought: Sought, choose: Choice
) -> list[StoredMemory]:
    """Return the memories of an agent that `choose` chooses, in its order.

    It gets, in no order, what may answer: the best of those that match by meaning or words, the
    newest of all and of what occurred in each span; and the turns around the best.
    """

    def weigh(session: Session, proposals: Proposals) -> list[StoredMemory]:
        connection = session.connection()
        found = _found(connection, storage, agent_id, sought, proposals)
        chosen = choose(found)
        given = {"places": _places(storage, chosen)}
        rows = storage.opened(_table(storage), connection.execute(storage.statement(_at), given))
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
    then = [
        place
        for begin, end in sought.spans
        for place in connection.scalars(
            storage.statement(_within),
            {"agent": agent_id, "most": sought.in_span, "begin": begin, "end": end},
        )
    ]
    asked = {
        "agent": agent_id,
        "most": sought.newest,
        "places": _places(storage, sorted({*best, *then})),
        "talks": _places(storage, sorted({*best[: sought.with_talk], *then})),
    }
    rows = storage.opened(_table(storage), connection.execute(storage.statement(_weighed), asked))
    cosines = {int(key): cosine for key, cosine in proposals.get("cosine", {}).items()}
    return [
        Found._make(
            (
                *row[:_OF_ONE],
                dense.get(row[0], 0.0),
                _NOTHING if row.found is None else dict(zip(AROUND, row[_AROUND], strict=True)),
                cosines.get(row[0], 0.0),
            )
        )
        for row in rows
    ]


def _table(storage: Storage) -> Table:
    table: Table = storage.model("Memory").__table__
    return table


def _newest(storage: Storage) -> Any:
    """Return what `read_memory` reads, and no more: many are read in every turn."""
    table = _table(storage)
    columns = (table.c[name] for name in READ)
    of_agent = select(*columns).where(table.c.agent_id == bindparam("agent"))
    ordered = of_agent.order_by(table.c.sequence.desc())
    return ordered.limit(_most())


def _newest_places(storage: Storage) -> Any:
    return _newest(storage).with_only_columns(_table(storage).c.sequence)


def _within(storage: Storage) -> Any:
    table = _table(storage)
    of_agent = select(table.c.sequence).where(table.c.agent_id == bindparam("agent"))
    since = of_agent.where(table.c.occurred_at >= bindparam("begin"))
    within = since.where(table.c.occurred_at < bindparam("end"))
    return within.order_by(table.c.occurred_at.desc()).limit(_most())


def _at(storage: Storage) -> Any:
    table = _table(storage)
    columns = (table.c[name] for name in READ)
    return select(table.c.sequence, *columns).where(_is_among(storage, table.c.sequence, "places"))


def _weighed(storage: Storage) -> Any:
    """Return the columns of `Found`, in its order, then `found` and the turns around it.

    Of `places`, of those around `talks`, and of the newest; of the others nothing is around.
    """
    table = _table(storage)
    near = _around(storage).cte("near")
    turns = [near.c[name] for name in _NAMES]
    newest = _newest_places(storage).subquery()
    wanted = union(
        select(_listed(storage, "places")),
        select(newest.c.sequence),
        *(select(turn).where(turn.is_not(None)) for turn in turns),
    ).subquery()
    columns = (
        table.c.sequence,
        table.c.content,
        func.coalesce(table.c.occurred_at, table.c.created_at).label("moment"),
        table.c.importance,
        table.c.speaker,
        table.c.conversation_id,
        near.c.sequence.label("found"),
        *turns,
        table.c.id,
        table.c.person_id,
    )
    joined = table.outerjoin(near, near.c.sequence == table.c.sequence)
    those = table.c.sequence.in_(select(*wanted.c))
    return select(*columns).select_from(joined).where(those).order_by(table.c.sequence)


def _around(storage: Storage) -> Any:
    """Return which turns stand around each of `talks`."""
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

    turns = [turn(distance).label(name) for distance, name in zip(AROUND, _NAMES, strict=True)]
    those = _is_among(storage, table.c.sequence, "talks")
    return select(table.c.sequence, *turns).where(those)


def _most() -> Any:
    """Return how many rows are wanted: in figures, else PostgreSQL expects a tenth of all.

    It would read very many, and so plans anew each time, which takes it longer than to read.
    """
    return bindparam("most", type_=Integer, literal_execute=True)


def _is_among(storage: Storage, column: Any, name: str) -> Any:
    """Return that a number is among some: as one parameter, for many take long to bind."""
    if storage.dialect == "sqlite":
        return column.in_(select(_listed(storage, name)))
    return column == func.any(bindparam(name, type_=ARRAY(BigInteger)))


def _listed(storage: Storage, name: str) -> Any:
    """Return the numbers of such a parameter, one a row."""
    if storage.dialect == "sqlite":
        return func.json_each(bindparam(name)).table_valued("value").c.value
    return func.unnest(bindparam(name, type_=ARRAY(BigInteger)))


def _places(storage: Storage, places: Sequence[int]) -> Any:
    """Return numbers as such a parameter."""
    return str(list(places)) if storage.dialect == "sqlite" else list(places)


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
