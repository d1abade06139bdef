"""Intents as rows: the outbox in the engine's database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.orm import Session
from typing_extensions import override

from puppet_engine.core.errors import StorageError
from puppet_engine.core.models import (
    Effect,
    Event,
    EventDraft,
    Intent,
    IntentKind,
    IntentState,
)
from puppet_engine.storage.event_rows import insert_events
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.intent_store import Drop, IntentStore, Meter, Standing
from puppet_engine.storage.rows import add_memory, read_intent

OPEN: Final = (IntentState.PENDING.value, IntentState.SENDING.value)
COUNTED: Final = (IntentState.SENDING.value, IntentState.DONE.value)
"""What counts against a budget: what was done, and what may have been."""


class StoredIntents(IntentStore):
    """The outbox of all agents, as rows."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    # -------------------------------------------------------------- looking

    @override
    async def open(self, account: str) -> list[Intent]:
        unfinished = self._storage.statement(_open)
        asked = {"of": account}
        return await self._storage.read(
            lambda session: [read_intent(row) for row in session.execute(unfinished, asked)]
        )

    @override
    async def unfinished(self, *, limit: int) -> list[Intent]:
        model = self._storage.model("Intent")
        oldest = select(model).where(model.state.in_(OPEN)).order_by(model.sequence).limit(limit)
        return await self._storage.read(
            lambda session: [read_intent(row) for row in session.scalars(oldest)]
        )

    @override
    async def waiting(self) -> list[tuple[str, str]]:
        model = self._storage.model("Intent")
        unfinished = (
            select(model.account, model.agent_id)
            .where(model.state.in_(OPEN))
            .distinct()
            .order_by(model.account, model.agent_id)
        )
        return await self._storage.read(
            lambda session: [(account, agent) for account, agent in session.execute(unfinished)]
        )

    @override
    async def standing(self, agent_id: str, account: str, *, since: datetime) -> Standing:
        counted, metered = self._storage.statement(_counted), self._storage.statement(_metered)
        asked = {"agent": agent_id, "of": account, "since": since}

        def work(session: Session) -> Standing:
            intents, cost = session.execute(counted, asked).one()
            kept = session.scalar(metered, {"of": account})
            meter = Meter() if kept is None else Meter.model_validate(kept)
            return Standing(intents=intents, cost=int(cost), meter=meter)

        return await self._storage.read(work)

    @override
    async def journals(
        self, agent_id: str, kind: IntentKind, *, since: datetime
    ) -> list[Mapping[str, Any]]:
        model = self._storage.model("Intent")
        begun = (
            select(model.journal)
            .where(model.agent_id == agent_id, model.kind == kind.value)
            .where(model.begun_at >= since)
            .order_by(model.sequence)
        )
        return await self._storage.read(lambda session: list(session.scalars(begun)))

    @override
    async def results(self, account: str, *, since: datetime) -> set[str]:
        model = self._storage.model("Intent")
        done = (
            select(model.result)
            .where(model.account == account, model.settled_at >= since)
            .where(model.state == IntentState.DONE.value)
        )
        return await self._storage.read(lambda session: set(session.scalars(done)))

    # -------------------------------------------------------------- noting

    @override
    async def begin(
        self, intent: Intent, journal: Mapping[str, Any], *, cost: int, meter: Meter
    ) -> Intent:
        def work(session: Session) -> Intent:
            row = self._row(session, intent)
            row.state, row.journal, row.cost = IntentState.SENDING.value, dict(journal), cost
            row.begun_at, row.attempts = self._storage.clock.now(), intent.attempts + 1
            self._keep(session, intent.account, meter)
            session.flush()
            return read_intent(row)

        return await self._storage.run(work)

    @override
    async def release(self, intent: Intent) -> Intent:
        def work(session: Session) -> Intent:
            row = self._row(session, intent)
            row.state = IntentState.PENDING.value
            session.flush()
            return read_intent(row)

        return await self._storage.run(work)

    @override
    async def hold(
        self,
        intent: Intent,
        *,
        state: IntentState,
        error: str,
        not_before: datetime,
        meter: Meter | None = None,
        events: Sequence[EventDraft] = (),
    ) -> list[Event]:
        def work(session: Session) -> list[Event]:
            row = self._row(session, intent)
            row.state, row.error, row.not_before = state.value, error, not_before
            row.failures = intent.failures
            self._keep(session, intent.account, meter)
            return insert_events(session, self._storage, events)

        return await self._storage.run(work)

    @override
    async def complete(
        self, intent: Intent, effect: Effect, *, meter: Meter | None = None
    ) -> list[Event]:
        def work(session: Session) -> list[Event]:
            self._finish(session, intent, IntentState.DONE, effect.result)
            add_memory(session, self._storage, intent.agent_id, effect.memory)
            self._keep(session, intent.account, meter)
            return insert_events(session, self._storage, effect.events)

        return await self._storage.run(work)

    @override
    async def drop(self, intent: Intent, end: Drop) -> list[Event]:
        def work(session: Session) -> list[Event]:
            self._finish(session, intent, end.state, end.reason)
            if end.memory is not None:
                add_memory(session, self._storage, intent.agent_id, end.memory)
            return insert_events(session, self._storage, end.events)

        return await self._storage.run(work)

    # -------------------------------------------------------------- rows

    def _finish(self, session: Session, intent: Intent, state: IntentState, result: str) -> None:
        row = self._row(session, intent)
        row.state, row.result, row.settled_at = state.value, result, self._storage.clock.now()

    def _keep(self, session: Session, account: str, meter: Meter | None) -> None:
        if meter is None:
            return
        model = self._storage.model("AccountMeter")
        row = session.get(model, account)
        if row is None:
            row = model(account=account)
            session.add(row)
        row.meter = meter.model_dump(mode="json")

    def _row(self, session: Session, intent: Intent) -> Any:
        """Return the row of an intent as the caller knows it, held until the transaction ends.

        Two engines on one database must not both carry an intent out.
        """
        row = session.scalars(self._storage.statement(_held), {"of": intent.id}).one()
        if (row.state, row.attempts) != (intent.state.value, intent.attempts):
            raise StorageError(
                f"the intent {intent.id} was changed by somebody else, it is {row.state} now:"
                " let one engine only live on this database"
            )
        return row


# ------------------------------------------------------------------ statements


def _open(storage: Storage) -> Any:
    table: Table = storage.model("Intent").__table__
    of_account = select(table).where(table.c.account == bindparam("of"))
    return of_account.where(table.c.state.in_(OPEN)).order_by(table.c.sequence)


def _counted(storage: Storage) -> Any:
    model = storage.model("Intent")
    return (
        select(func.count(), func.coalesce(func.sum(model.cost), 0))
        .where(model.agent_id == bindparam("agent"), model.account == bindparam("of"))
        .where(model.begun_at >= bindparam("since"), model.state.in_(COUNTED))
    )


def _metered(storage: Storage) -> Any:
    model = storage.model("AccountMeter")
    return select(model.meter).where(model.account == bindparam("of"))


def _held(storage: Storage) -> Any:
    model = storage.model("Intent")
    return select(model).where(model.id == bindparam("of")).with_for_update()
