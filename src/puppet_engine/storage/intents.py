"""Intents as rows: the outbox in the engine's database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Delete,
    Insert,
    Row,
    Table,
    Update,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
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
from puppet_engine.storage.event_rows import event_row, insert_events, insert_rows
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.intent_store import Drop, IntentStore, Meter, Past, Standing
from puppet_engine.storage.people import identify, of_memories, of_payloads
from puppet_engine.storage.remembering import add_memory, keep_memories, remembered
from puppet_engine.storage.rows import read_intent
from puppet_engine.storage.said_prints import let_go_of_prints, marked_alike

SAID: Final = (IntentState.PENDING.value, IntentState.SENDING.value, IntentState.DONE.value)
OPEN: Final = (IntentState.PENDING.value, IntentState.SENDING.value)
COUNTED: Final = (IntentState.SENDING.value, IntentState.DONE.value)
"""What counts against a budget: what was done, and what may have been."""


class StoredIntents(IntentStore):
    """The outbox of all agents, as rows."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._looked_at: dict[bytes, Mapping[str, Any]] = {}

    # -------------------------------------------------------------- looking

    @override
    async def open(self, account: str) -> list[Intent]:
        unfinished = self._storage.statement(_open)
        asked = {"of": account}
        return await self._storage.read(
            lambda session: [
                read_intent(row)
                for row in self._opened(session.connection().execute(unfinished, asked))
            ]
        )

    @override
    async def find(self, intent_id: str) -> Intent | None:
        model = self._storage.model("Intent")
        one = select(model).where(model.id == intent_id)

        def work(session: Session) -> Intent | None:
            row = session.scalar(one)
            return None if row is None else read_intent(row)

        return await self._storage.read(work)

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
            connection = session.connection()
            intents, cost = connection.execute(counted, asked).one()
            kept = connection.scalar(metered, {"of": account})
            meter = Meter() if kept is None else Meter.model_validate(kept)
            return Standing(intents=intents, cost=int(cost), meter=meter)

        return await self._storage.read(work)

    @override
    async def journals(
        self, agent_id: str, kind: IntentKind, *, since: datetime
    ) -> list[Mapping[str, Any]]:
        model = self._storage.model("Intent")
        begun = (
            select(model.journal, model.id, model.person_id)
            .where(model.agent_id == agent_id, model.kind == kind.value)
            .where(model.begun_at >= since)
            .order_by(model.sequence)
        )
        return await self._storage.read(
            lambda session: [row.journal for row in self._opened(session.execute(begun))]
        )

    @override
    async def results(self, account: str, *, since: datetime) -> set[str]:
        model = self._storage.model("Intent")
        done = (
            select(model.result)
            .where(model.account == account, model.settled_at >= since)
            .where(model.state == IntentState.DONE.value)
        )
        return await self._storage.read(lambda session: set(session.scalars(done)))

    @override
    async def past(self, agent_id: str, *, limit: int) -> Past:
        begun, latest = self._storage.statement(_begun), self._storage.statement(_latest)

        def work(session: Session) -> Past:
            connection = session.connection()
            mine = self._opened(connection.execute(begun, {"agent": agent_id, "most": limit}))
            all_of_them = self._latest(connection.execute(latest, {"most": limit}).all())
            waiting = [payload for whose, payload in all_of_them if whose == agent_id]
            others = [payload for whose, payload in all_of_them if whose != agent_id]
            own = _texts([*waiting, *(it.payload for it in mine)])
            return Past(own=own[:limit], cast=_texts(others))

        return await self._storage.read(work)

    @override
    async def alike(self, agent_id: str, marks: Sequence[int], *, limit: int) -> Past:
        def work(session: Session) -> Past:
            found = marked_alike(session, self._storage, marks, limit=limit)
            own = [payload for whose, payload in found if whose == agent_id]
            others = [payload for whose, payload in found if whose != agent_id]
            return Past(own=_texts(own), cast=_texts(others))

        return await self._storage.read(work)

    # -------------------------------------------------------------- letting go

    async def purge(self, before: datetime, *, limit: int) -> int:
        """Delete what was done, or dropped, before a moment: the oldest, `limit` at the most.

        The marks by which their texts are known go, too. What is still open stays.
        """

        def work(session: Session) -> int:
            gone = session.connection().execute(
                self._storage.statement(_doomed), {"before": before, "most": limit}
            )
            let_go_of_prints(session, self._storage, limit=limit)
            return int(gone.rowcount)

        return await self._storage.run(work)

    # -------------------------------------------------------------- noting

    @override
    async def begin(
        self, intent: Intent, journal: Mapping[str, Any], *, cost: int, meter: Meter
    ) -> Intent:
        begun: dict[str, Any] = {
            "journal": dict(journal),
            "cost": cost,
            "begun_at": self._storage.clock.now(),
            "attempts": intent.attempts + 1,
        }

        def work(session: Session) -> Intent:
            self._change(session, intent, IntentState.SENDING, begun)
            self._keep(session, intent.account, meter)
            return intent.model_copy(update={**begun, "state": IntentState.SENDING})

        return await self._storage.run(work)

    @override
    async def release(self, intent: Intent) -> Intent:
        def work(session: Session) -> Intent:
            self._change(session, intent, IntentState.PENDING, {})
            return intent.model_copy(update={"state": IntentState.PENDING})

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
        held = {"error": error, "not_before": not_before, "failures": intent.failures}

        def work(session: Session) -> list[Event]:
            self._change(session, intent, state, held)
            self._keep(session, intent.account, meter)
            return insert_events(session, self._storage, events)

        return await self._storage.run(work)

    @override
    async def complete(
        self, intent: Intent, effect: Effect, *, meter: Meter | None = None
    ) -> list[Event]:
        def work(session: Session) -> list[Event]:
            self._finish(session, intent, IntentState.DONE, effect.result)
            memory = remembered(self._storage, intent.agent_id, effect.memory)
            events = [event_row(self._storage, draft) for draft in effect.events]
            # At once: they mostly are of the same person.
            identify(session, self._storage, [*of_memories([memory.row]), *of_payloads(events)])
            keep_memories(session, self._storage, [memory])
            self._keep(session, intent.account, meter)
            return insert_rows(session, self._storage, effect.events, events)

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

    def _latest(self, rows: Sequence[Any]) -> list[tuple[str, Mapping[str, Any]]]:
        """Return whose the latest intents are, and what is in them.

        All agents look at the same ones: those of the last look are known by their ciphertext.
        """
        known = self._looked_at
        new = [row for row in rows if row.payload not in known]
        opened = zip((row.payload for row in new), self._opened(new), strict=True)
        now_known = known | {sealed: intent.payload for sealed, intent in opened}
        self._looked_at = {row.payload: now_known[row.payload] for row in rows}
        return [(row.agent_id, now_known[row.payload]) for row in rows]

    def _opened(self, found: Iterable[Row[Any]]) -> Iterator[Any]:
        return self._storage.opened(_intents(self._storage), found)

    def _finish(self, session: Session, intent: Intent, state: IntentState, result: str) -> None:
        end = {"result": result, "settled_at": self._storage.clock.now()}
        self._change(session, intent, state, end)

    def _keep(self, session: Session, account: str, meter: Meter | None) -> None:
        if meter is None:
            return
        kept = meter.model_dump(mode="json")
        connection = session.connection()
        known = connection.execute(self._storage.statement(_meter), {"of": account, "meter": kept})
        if not known.rowcount:
            connection.execute(
                self._storage.statement(_new_meter), {"account": account, "meter": kept}
            )

    def _change(
        self, session: Session, intent: Intent, state: IntentState, values: Mapping[str, Any]
    ) -> None:
        """Change the row of an intent, if it is as the caller knows it.

        Two engines on one database must not both carry an intent out.
        """
        known = {"of": intent.id, "was": intent.state.value, "tried": intent.attempts}
        changes = {**values, "state": state.value}
        connection = session.connection()
        changed = connection.execute(self._storage.statement(_as_known), changes | known)
        if changed.rowcount != 1:
            now = connection.scalar(self._storage.statement(_state), {"of": intent.id})
            raise StorageError(
                f"the intent {intent.id} was changed by somebody else, it is {now} now:"
                " let one engine only live on this database"
            )


# ------------------------------------------------------------------ statements


def _open(storage: Storage) -> Any:
    table = _intents(storage)
    of_account = select(table).where(table.c.account == bindparam("of"))
    return of_account.where(table.c.state.in_(OPEN)).order_by(table.c.sequence)


def _begun(storage: Storage) -> Any:
    table = _intents(storage)
    columns = (table.c.payload, table.c.id, table.c.person_id)
    mine = select(*columns).where(table.c.agent_id == bindparam("agent"))
    begun = mine.where(table.c.begun_at.is_not(None), table.c.state.in_(SAID))
    return begun.order_by(table.c.begun_at.desc()).limit(bindparam("most"))


def _latest(storage: Storage) -> Any:
    table = _intents(storage)
    columns = (table.c.agent_id, table.c.payload, table.c.id, table.c.person_id)
    said = select(*columns).where(table.c.state.in_(SAID))
    return said.order_by(table.c.sequence.desc()).limit(bindparam("most"))


def _texts(payloads: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the texts among what was wanted, each once; a trade has none."""
    texts = (str(payload["text"]) for payload in payloads if "text" in payload)
    return tuple(dict.fromkeys(texts))


def _doomed(storage: Storage) -> Delete:
    table = _intents(storage)
    # The oldest by number, not by moment: no index is needed to find them.
    oldest = select(table.c.sequence).order_by(table.c.sequence).limit(bindparam("most"))
    was_over = table.c.settled_at < bindparam("before")
    return delete(table).where(table.c.sequence.in_(oldest), was_over)


def _counted(storage: Storage) -> Any:
    table = _intents(storage)
    return (
        select(func.count(), func.coalesce(func.sum(table.c.cost), 0))
        .where(table.c.agent_id == bindparam("agent"), table.c.account == bindparam("of"))
        .where(table.c.begun_at >= bindparam("since"), table.c.state.in_(COUNTED))
    )


def _as_known(storage: Storage) -> Update:
    table = _intents(storage)
    as_known = (table.c.state == bindparam("was"), table.c.attempts == bindparam("tried"))
    return update(table).where(table.c.id == bindparam("of"), *as_known)


def _state(storage: Storage) -> Any:
    table = _intents(storage)
    return select(table.c.state).where(table.c.id == bindparam("of"))


def _intents(storage: Storage) -> Table:
    table: Table = storage.model("Intent").__table__
    return table


def _metered(storage: Storage) -> Any:
    table = _meters(storage)
    return select(table.c.meter).where(table.c.account == bindparam("of"))


def _meter(storage: Storage) -> Update:
    table = _meters(storage)
    return update(table).where(table.c.account == bindparam("of"))


def _new_meter(storage: Storage) -> Insert:
    return insert(_meters(storage))


def _meters(storage: Storage) -> Table:
    table: Table = storage.model("AccountMeter").__table__
    return table
