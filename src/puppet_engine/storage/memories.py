"""Memories as rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    Table,
    bindparam,
    func,
    literal_column,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from puppet_engine.core.errors import MemoryNotFoundError
from puppet_engine.core.models import Memory, StoredMemory
from puppet_engine.storage.gateway import Proposals, Storage
from puppet_engine.storage.remembering import add_memory
from puppet_engine.storage.rows import READ, read_memory
from timber.common.vector.selecting import Selecting
from timber.common.vector.steps import Steps

AROUND: Final = (-1, 1, 2)
"""Which turns of a conversation stand near another: the one before it, and two after.

Its words are lent to both of these; of the second before it the words count where it was found,
too, and lend nothing where it matches nothing."""

_TURNS: Final = ("turn_0", "turn_1", "turn_2")
"""Which turns these are, by the names of columns."""
_NOTHING: Final[Mapping[int, int | None]] = MappingProxyType({})


class _Row(NamedTuple):
    """A memory that may answer, as it is read; `content` and `details` may be sealed."""

    sequence: int
    content: Any
    moment: datetime
    importance: float
    speaker: str | None
    conversation_id: str | None
    found: int | None
    """Its place, where the turns around it were looked for."""
    turn_0: int | None
    turn_1: int | None
    turn_2: int | None
    id: str
    agent_id: str
    type: str
    details: Any
    created_at: datetime
    person_id: str | None
    """By whose key it is sealed."""


_TO_WEIGH: Final = 7 + len(AROUND)
"""So many of these columns are weighed; the others are of what is answered."""

_WEIGHED: Final = tuple("" if name == "details" else name for name in _Row._fields)
"""What is opened of a row to weigh it: not what is opened of those that answer only."""


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
    selecting = storage.selecting(_weighed, sought.newest, sought.in_span, len(sought.spans))

    def weigh(proposals: Proposals) -> Steps[list[StoredMemory]]:
        asked = _asked(storage, agent_id, sought, proposals)
        rows = yield selecting.asked(**asked)
        found = _found(storage, selecting, rows, proposals)
        return _memories(storage, selecting, rows, choose(found))

    readable = sought.query.encode(errors="replace").decode()
    return await storage.propose(readable, owner=agent_id, depth=sought.depth, weigh=weigh)


def _asked(
    storage: Storage, agent_id: str, sought: Sought, proposals: Proposals
) -> dict[str, Any]:
    """Return what `_weighed` is to be given."""
    dense, matching = (proposals.get(leg, {}) for leg in ("dense", "text"))
    keys = {*dense, *matching}
    both = {int(key): dense.get(key, 0.0) + matching.get(key, 0.0) for key in keys}
    best = sorted(both, key=lambda place: (-both[place], place))[: sought.depth]
    spans: dict[str, datetime] = {}
    for number, (begin, end) in enumerate(sought.spans):
        spans |= {f"begin_{number}": begin, f"end_{number}": end}
    return {
        "agent": agent_id,
        "places": _places(storage, sorted(best)),
        "talks": _places(storage, sorted(best[: sought.with_talk])),
        **spans,
    }


def _found(
    storage: Storage, selecting: Selecting, rows: Sequence[Any], proposals: Proposals
) -> list[Found]:
    dense, cosine = (
        {int(key): value for key, value in proposals.get(leg, {}).items()}
        for leg in ("dense", "cosine")
    )
    weighed, moment_of = list[Found](), selecting.reading("moment")
    for row in storage.open_rows(_table(storage), _WEIGHED, rows):
        place, content, moment, importance, speaker, conversation, found, *turns = row[:_TO_WEIGH]
        near = _NOTHING if found is None else dict(zip(AROUND, turns, strict=True))
        own = (place, content, moment_of(moment), importance, speaker, conversation)
        nearness = (dense.get(place, 0.0), near, cosine.get(place, 0.0))
        weighed.append(Found._make(own + nearness))
    return weighed


def _memories(
    storage: Storage, selecting: Selecting, rows: Sequence[Any], places: Sequence[int]
) -> list[StoredMemory]:
    """Return the memories at some places, as they stand in rows, and open no others."""
    by_place = {row[0]: row for row in rows}
    chosen = [by_place[place] for place in places]
    opened = map(_Row._make, storage.open_rows(_table(storage), _Row._fields, chosen))
    created_at = selecting.reading("created_at")
    return [read_memory(row._replace(created_at=created_at(row.created_at))) for row in opened]


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


def _weighed(storage: Storage, newest: int, in_span: int, spans: int) -> Select[Any]:
    """Return the columns of `_Row`.

    Of `places`, of the newest, of the newest of each span, and of the turns around `talks` and
    around those of the spans; of the others nothing is around.
    """
    table = _table(storage)
    of_agent = select(table.c.sequence).where(table.c.agent_id == bindparam("agent"))
    # Numbers in figures, else PostgreSQL expects a tenth of all rows, and plans for these.
    lately = of_agent.order_by(table.c.sequence.desc()).limit(literal_column(str(newest)))
    then = [
        of_agent.where(table.c.occurred_at >= bindparam(f"begin_{number}"))
        .where(table.c.occurred_at < bindparam(f"end_{number}"))
        .order_by(table.c.occurred_at.desc())
        .limit(literal_column(str(in_span)))
        .cte(f"then_{number}")
        for number in range(spans)
    ]
    near = _around(storage, [select(one.c.sequence) for one in then]).cte("near")
    turns = [near.c[name] for name in _TURNS]
    wanted = union(
        select(_listed(storage, "places")),
        *(select(one.c.sequence) for one in (lately.subquery(), *then)),
        *(select(turn).where(turn.is_not(None)) for turn in turns),
    ).subquery()
    moment = func.coalesce(table.c.occurred_at, table.c.created_at)
    others = {"moment": moment, "found": near.c.sequence, **dict(zip(_TURNS, turns, strict=True))}
    columns = (
        others[name].label(name) if name in others else table.c[name] for name in _Row._fields
    )
    joined = table.outerjoin(near, near.c.sequence == table.c.sequence)
    # What was proposed may be somebody else's by now.
    theirs = table.c.agent_id == bindparam("agent")
    those = table.c.sequence.in_(select(*wanted.c))
    return select(*columns).select_from(joined).where(those, theirs).order_by(table.c.sequence)


def _around(storage: Storage, besides: Sequence[Select[Any]]) -> Select[Any]:
    """Return which turns stand around each of `talks`, and around what else is selected."""
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

    turns = [turn(distance).label(name) for distance, name in zip(AROUND, _TURNS, strict=True)]
    talks = union(select(_listed(storage, "talks")), *besides).subquery()
    return select(table.c.sequence, *turns).where(table.c.sequence.in_(select(*talks.c)))


def _most() -> Any:
    """Return how many rows are wanted: in figures, else PostgreSQL expects a tenth of all.

    It would read very many, and so plans anew each time, which takes it longer than to read.
    """
    return bindparam("most", type_=Integer, literal_execute=True)


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
