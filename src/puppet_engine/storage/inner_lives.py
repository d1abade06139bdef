"""What went on within agents over a life, read from its rows once it is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from puppet_engine.core.decisions import Decision
from puppet_engine.core.models import IntentState
from puppet_engine.storage.event_rows import event_rows
from puppet_engine.storage.gateway import Storage


@dataclass(frozen=True, slots=True)
class Timed:
    """An event, with what it carried: when it was made, and when it was due."""

    agent_id: str
    due_at: datetime
    created_at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment at which something moved an agent: valence and arousal before, after, of what."""

    agent_id: str
    at: datetime
    before: tuple[float, float]
    after: tuple[float, float]
    impulse: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Decided:
    """What an agent chose, and the id of the post that came of it; empty when none did."""

    agent_id: str
    at: datetime
    decision: Decision
    post_id: str


async def timed(storage: Storage, event_type: str) -> list[Timed]:
    """Return every event of a type, in the order of their numbers."""
    model = storage.model("Event")
    columns = (model.agent_id, model.due_at, model.created_at, model.payload)
    query = select(*columns, model.id, model.person_id).where(model.type == event_type)
    ordered = query.order_by(model.sequence)
    rows = await storage.run(lambda session: list(event_rows(session, storage, ordered)))
    return [Timed(*row[: len(columns)]) for row in rows]


async def moments(storage: Storage) -> list[Moment]:
    """Return every moment that is kept, oldest first."""
    model = storage.model("MoodMoment")
    query = select(
        model.agent_id,
        model.at,
        model.valence_before,
        model.arousal_before,
        model.valence_after,
        model.arousal_after,
        model.impulse_valence,
        model.impulse_arousal,
    ).order_by(model.sequence)
    rows = await storage.run(lambda session: list(session.execute(query)))
    return [
        Moment(agent_id, at, (felt[0], felt[1]), (felt[2], felt[3]), (felt[4], felt[5]))
        for agent_id, at, *felt in rows
    ]


async def decided(storage: Storage) -> list[Decided]:
    """Return every decision that is kept, oldest first."""
    model, intent = storage.model("Decision"), storage.model("Intent")
    done = intent.state == IntentState.DONE.value
    query = (
        select(model.id, model.person_id, model.agent_id, model.at, model.told, intent.result)
        .outerjoin(intent, (intent.id == model.intent_id) & done)
        .order_by(model.sequence)
    )
    rows = await storage.run(
        lambda session: list(storage.opened(model.__table__, session.execute(query)))
    )
    return [
        Decided(row.agent_id, row.at, Decision.model_validate(row.told), row.result or "")
        for row in rows
    ]
