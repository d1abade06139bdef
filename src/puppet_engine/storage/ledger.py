"""The ledger in the engine's database: one transaction for each thing that becomes fact."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import override

from puppet_engine.core.ids import PostId
from puppet_engine.core.models import AgentConfig, Event, EventDraft, TurnOutcome
from puppet_engine.storage.base import Arrival, Ledger
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.intent_store import IntentStore
from puppet_engine.storage.intents import StoredIntents, add_intents
from puppet_engine.storage.rows import add_events, add_memory, settle_event


class StoredLedger(Ledger):
    """What agents do, as rows."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._intents = StoredIntents(storage)

    @property
    @override
    def intents(self) -> IntentStore:
        return self._intents

    @override
    async def enrol(self, arrival: Arrival) -> list[Event]:
        config = arrival.config

        def work(session: Session) -> list[Event]:
            model = self._storage.model("Agent")
            known = session.get(model, config.id)
            if known is not None:
                known.name, known.persona = config.name, _public(config)
                return add_events(session, self._storage, self._missing(session, arrival))
            row = model(id=config.id, name=config.name, persona=_public(config))
            row.is_guest = arrival.is_guest
            session.add(row)
            for memory in arrival.first_memories:
                add_memory(session, self._storage, config.id, memory)
            return add_events(session, self._storage, arrival.first_events)

        return await self._storage.run(work)

    def _missing(self, session: Session, arrival: Arrival) -> list[EventDraft]:
        """Return the routine of which nothing is pending: what the agent could not do before."""
        model = self._storage.model("Event")
        pending = select(model.type).where(
            model.agent_id == arrival.config.id, model.settled_at.is_(None)
        )
        known = set(session.scalars(pending))
        return [draft for draft in arrival.routine if draft.type not in known]

    @override
    async def guests(self) -> list[AgentConfig]:
        model = self._storage.model("Agent")
        query = select(model.persona).where(model.is_guest).order_by(model.id)
        personas = await self._storage.run(lambda session: list(session.scalars(query)))
        return [AgentConfig.model_validate(persona) for persona in personas]

    @override
    async def cursor(self, agent_id: str) -> PostId | None:
        model = self._storage.model("Agent")
        seen = select(model.cursor).where(model.id == agent_id)
        return await self._storage.run(lambda session: session.scalar(seen))

    @override
    async def commit(
        self, agent_id: str, event: Event | None, outcome: TurnOutcome, *, error: str = ""
    ) -> list[Event]:
        def work(session: Session) -> list[Event]:
            if event is not None:
                settle_event(session, self._storage, event, error=error)
            if outcome.cursor is not None:
                session.get_one(self._storage.model("Agent"), agent_id).cursor = outcome.cursor
            for memory in outcome.memories:
                add_memory(session, self._storage, agent_id, memory)
            add_intents(session, self._storage, agent_id, outcome.intents)
            return add_events(session, self._storage, outcome.events)

        return await self._storage.run(work)


def _public(config: AgentConfig) -> dict[str, Any]:
    """Return a persona as it may be stored: its private key never is."""
    return config.model_dump(mode="json", exclude={"solana_integration": {"private_key"}})
