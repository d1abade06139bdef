"""Moods and relationships as people look them up: page by page."""

from typing import Any

from sqlalchemy import Table, select

from puppet_engine.core.errors import AgentNotFoundError
from puppet_engine.core.inner_views import MoodMoment
from puppet_engine.core.models import AgentConfig
from puppet_engine.core.moods import Impulse, MoodState
from puppet_engine.core.personas import KEPT
from puppet_engine.core.relationships import Relationship
from puppet_engine.storage.gateway import Storage


async def persona_of(storage: Storage, agent_id: str) -> AgentConfig:
    """Return the persona of an agent as it was kept last.

    Raises:
        AgentNotFoundError: no agent of that id has ever lived here.

    """
    model = storage.model("Agent")
    query = select(model.persona).where(model.id == agent_id)
    persona = await storage.read(lambda session: session.scalar(query))
    if persona is None:
        raise AgentNotFoundError(agent_id)
    return AgentConfig.model_validate(persona, context={KEPT: True})


async def mood_moments(
    storage: Storage, agent_id: str, *, before: int | None, limit: int
) -> list[MoodMoment]:
    """Return a page of what moved an agent, newest first, from before a number on."""
    table: Table = storage.model("MoodMoment").__table__
    query = select(table).where(table.c.agent_id == agent_id)
    if before is not None:
        query = query.where(table.c.sequence < before)
    query = query.order_by(table.c.sequence.desc()).limit(limit)
    return await storage.read(
        lambda session: [
            _moment(row) for row in storage.opened(table, session.connection().execute(query))
        ]
    )


async def relationships(
    storage: Storage, agent_id: str, *, after: str, limit: int
) -> list[Relationship]:
    """Return a page of how an agent stands with others, as it was kept, by their handles."""
    table: Table = storage.model("AgentRelationship").__table__
    query = select(table).where(table.c.agent_id == agent_id, table.c.handle > after)
    query = query.order_by(table.c.handle).limit(limit)
    return await storage.read(
        lambda session: [
            _relationship(row)
            for row in storage.opened(table, session.connection().execute(query))
        ]
    )


def _moment(row: Any) -> MoodMoment:
    return MoodMoment(
        number=row.sequence,
        at=row.at,
        event=row.event,
        reason=row.reason,
        impulse=Impulse(valence=row.impulse_valence, arousal=row.impulse_arousal),
        before=MoodState(valence=row.valence_before, arousal=row.arousal_before, as_of=row.at),
        after=MoodState(valence=row.valence_after, arousal=row.arousal_after, as_of=row.at),
    )


def _relationship(row: Any) -> Relationship:
    return Relationship(
        handle=row.handle,
        familiarity=row.familiarity,
        affinity=row.affinity,
        trust=row.trust,
        as_of=row.as_of,
        reasons=row.reasons,
    )
