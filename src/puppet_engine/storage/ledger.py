"""The ledger in the engine's database: one transaction for each thing that becomes fact."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session
from typing_extensions import override

from puppet_engine.core.ids import PostId
from puppet_engine.core.minds import KnownMind, Tiding
from puppet_engine.core.models import AgentConfig, Event, EventDraft, TurnOutcome
from puppet_engine.storage import population
from puppet_engine.storage.base import Arrival, Ledger
from puppet_engine.storage.event_rows import insert_events
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.intent_store import IntentStore
from puppet_engine.storage.intents import StoredIntents
from puppet_engine.storage.minds import keep_tiding, read_mind
from puppet_engine.storage.remembering import add_memory
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
        row = population.agent_row(arrival)

        def work(session: Session) -> list[Event]:
            population.require_free_handle(session, self._storage, arrival)
            # Who came as a guest once stays one: no file is sure to be read for it.
            if population.renew(session, self._storage, row):
                return insert_events(session, self._storage, self._missing(session, arrival))
            session.connection().execute(self._storage.statement(population.new_agent), row)
            for memory in arrival.first_memories:
                add_memory(session, self._storage, arrival.config.id, memory)
            return insert_events(session, self._storage, arrival.first_events)

        return await self._storage.run(work)

    def _missing(self, session: Session, arrival: Arrival) -> list[EventDraft]:
        """Return the routine of which nothing is pending: what the agent could not do before."""
        pending = self._storage.statement(_pending)
        known = set(session.connection().scalars(pending, {"of": arrival.config.id}))
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
        return await self._storage.read(
            lambda session: session.connection().scalar(seen, {"of": agent_id})
        )

    @override
    async def mind(self, agent_id: str, *, about: str | None = None) -> KnownMind:
        now = self._storage.clock.now()
        return await self._storage.read(
            lambda session: read_mind(session, self._storage, agent_id, about=about, now=now)
        )

    @override
    async def is_open(self, event: Event) -> bool:
        settled, asked = self._storage.statement(_settled_at), {"of": event.sequence}
        found = await self._storage.read(
            lambda session: session.connection().execute(settled, asked).first()
        )
        return found is not None and found.settled_at is None

    @override
    async def tell(self, event: Event, tiding: Tiding) -> None:
        await self._storage.run(lambda session: keep_tiding(session, self._storage, event, tiding))

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
    table: Table = storage.model("Agent").__table__
    return select(table.c.cursor).where(table.c.id == bindparam("of"))


def _settled_at(storage: Storage) -> Any:
    table: Table = storage.model("Event").__table__
    return select(table.c.settled_at).where(table.c.sequence == bindparam("of"))


def _pending(storage: Storage) -> Any:
    table: Table = storage.model("Event").__table__
    of_agent = select(table.c.type).where(table.c.agent_id == bindparam("of"))
    return of_agent.where(table.c.settled_at.is_(None))
