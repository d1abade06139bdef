"""The ledger in the engine's database: one transaction for each thing that becomes fact."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from typing_extensions import override

from puppet_engine.core.ids import PostId
from puppet_engine.core.models import AgentConfig, Event, EventDraft, TurnOutcome
from puppet_engine.storage import population
from puppet_engine.storage.base import Arrival, Ledger
from puppet_engine.storage.event_rows import insert_events
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.intent_store import IntentStore
from puppet_engine.storage.intents import StoredIntents
from puppet_engine.storage.rows import add_memory
from puppet_engine.storage.turns import TurnRows, keep_turns, turn_rows


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
            population.require_free_handle(session, self._storage, arrival)
            row = population.agent_row(arrival)
            known = session.get(model, config.id)
            if known is not None:
                # Who came as a guest once stays one: no file is sure to be read for it.
                for name in ("name", "handle", "persona"):
                    setattr(known, name, row[name])
                return insert_events(session, self._storage, self._missing(session, arrival))
            session.add(model(**row))
            for memory in arrival.first_memories:
                add_memory(session, self._storage, config.id, memory)
            return insert_events(session, self._storage, arrival.first_events)

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
    async def enrol_new(self, arrivals: Sequence[Arrival]) -> list[Event]:
        return await population.enrol_new(self._storage, arrivals)

    @override
    async def guests(self, *, limit: int) -> list[str]:
        return await population.guests(self._storage, limit=limit)

    @override
    async def guest(self, agent_id: str) -> AgentConfig | None:
        return await population.guest(self._storage, agent_id)

    @override
    async def cursor(self, agent_id: str) -> PostId | None:
        seen = self._storage.statement(_cursor)
        return await self._storage.read(lambda session: session.scalar(seen, {"of": agent_id}))

    @override
    async def commit(
        self, agent_id: str, event: Event | None, outcome: TurnOutcome, *, error: str = ""
    ) -> list[Event]:
        rows = turn_rows(self._storage, agent_id, event, outcome, error=error)
        events: list[Event] = await self._storage.write(self._keep_turns, rows)
        return events

    def _keep_turns(self, session: Session, turns: Sequence[TurnRows]) -> list[list[Event]]:
        return keep_turns(session, self._storage, turns)


def _cursor(storage: Storage) -> Any:
    model = storage.model("Agent")
    return select(model.cursor).where(model.id == bindparam("of"))
