"""What a life came to, read from its rows once it is over."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Table, func, select
from sqlalchemy.orm import Session

from puppet_engine.core.moods import MoodState
from puppet_engine.storage.gateway import Storage


@dataclass(frozen=True, slots=True)
class EventFact:
    """One event, without what it carried."""

    sequence: int
    type: str
    agent_id: str | None
    due_at: datetime
    settled_at: datetime | None
    settled_as: int | None
    """Its place in the order in which events were over; None while it is to happen."""
    failures: int


@dataclass(frozen=True, slots=True)
class IntentFact:
    """One thing that an agent wanted done outside, and what became of it."""

    agent_id: str
    kind: str
    state: str
    result: str
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """One mention that became an event of an agent's."""

    agent_id: str
    post_id: str


@dataclass(frozen=True, slots=True)
class MoodFact:
    """One moment at which something moved an agent."""

    agent_id: str
    event: str
    before: MoodState
    after: MoodState


@dataclass(frozen=True, slots=True)
class StandingFact:
    """How an agent stands with somebody."""

    agent_id: str
    handle: str
    familiarity: float
    affinity: float
    trust: float


async def moods(storage: Storage) -> list[MoodFact]:
    """Return every moment at which something moved an agent, by agent, and as they came."""
    model = storage.model("MoodMoment")
    columns = (
        model.agent_id,
        model.event,
        model.at,
        model.valence_before,
        model.arousal_before,
        model.valence_after,
        model.arousal_after,
    )
    query = select(*columns).order_by(model.agent_id)
    return [
        MoodFact(
            agent_id,
            event,
            before=MoodState(valence=valence, arousal=arousal, as_of=at),
            after=MoodState(valence=then, arousal=awake, as_of=at),
        )
        for agent_id, event, at, valence, arousal, then, awake in await _rows(
            storage, query, model.sequence
        )
    ]


async def standings(storage: Storage) -> list[StandingFact]:
    """Return how every agent stands with everybody, as it was when it changed last."""
    model = storage.model("AgentRelationship")
    columns = (model.agent_id, model.handle, model.familiarity, model.affinity, model.trust)
    query = select(*columns).order_by(model.agent_id)
    return [StandingFact(*row) for row in await _rows(storage, query, model.handle)]


async def events(storage: Storage) -> list[EventFact]:
    """Return every event there is, in the order of their numbers."""
    model = storage.model("Event")
    columns = (
        model.sequence,
        model.type,
        model.agent_id,
        model.due_at,
        model.settled_at,
        model.settled_as,
        model.failures,
    )
    return [EventFact(*row) for row in await _rows(storage, select(*columns), model.sequence)]


async def intents(storage: Storage) -> list[IntentFact]:
    """Return every intent there is, oldest first."""
    model = storage.model("Intent")
    columns = (model.agent_id, model.kind, model.state, model.result, model.payload)
    query = select(*columns, model.id, model.person_id)
    rows = await _rows(storage, query, model.sequence, of=model.__table__)
    return [
        IntentFact(row.agent_id, row.kind, row.state, row.result, str(row.payload.get("text", "")))
        for row in rows
    ]


async def heard(storage: Storage, event_type: str) -> list[Heard]:
    """Return the mentions that became events of a type, in the order of their numbers."""
    model = storage.model("Event")
    columns = (model.agent_id, model.payload, model.id, model.person_id)
    query = select(*columns).where(model.type == event_type)
    rows = await _rows(storage, query, model.sequence, of=model.__table__)
    return [Heard(row.agent_id, row.payload["id"]) for row in rows]


async def cursors(storage: Storage) -> dict[str, str | None]:
    """Return the newest mention that each agent has seen, by the agent's id."""
    model = storage.model("Agent")
    rows = await _rows(storage, select(model.id, model.cursor), model.id)
    return {agent_id: cursor for agent_id, cursor in rows}  # noqa: C416 - rows are no pairs


async def memories(storage: Storage) -> Counter[str]:
    """Count the memories of each type."""
    model = storage.model("Memory")
    query = select(model.type, func.count()).group_by(model.type)
    return Counter(dict(await _rows(storage, query, model.type)))


async def _rows(
    storage: Storage, query: Select[Any], order: Any, *, of: Table | None = None
) -> list[Any]:
    """Return the rows of a query; with what is sealed in them opened, if they are `of` a table."""
    ordered = query.order_by(order)

    def work(session: Session) -> list[Any]:
        found = session.execute(ordered)
        return list(found if of is None else storage.opened(of, found))

    return await storage.run(work)
