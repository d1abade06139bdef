"""Events as rows: nothing that is to happen is lost when the process is killed."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, tuple_
from sqlalchemy.orm import Session
from typing_extensions import override

from puppet_engine.core.errors import EventNotFoundError
from puppet_engine.core.history import EventRecord, HistoryQuery
from puppet_engine.core.ids import EventId
from puppet_engine.core.models import Event, EventDraft
from puppet_engine.core.schedules import Schedule
from puppet_engine.storage.base import EventStore, PendingPage
from puppet_engine.storage.event_rows import (
    cancel_row,
    event_rows,
    events_of,
    insert_events,
    read_draft,
    read_record,
)
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.minds import let_go_of_minds
from puppet_engine.storage.schedule_rows import Schedules
from puppet_engine.storage.settling import Settlement, settle_events


class StoredEvents(EventStore):
    """The inbox and the timers of all agents, in the engine's database."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._schedules = Schedules(storage)

    @property
    def _model(self) -> Any:
        return self._storage.model("Event")

    @override
    async def append(self, drafts: Sequence[EventDraft]) -> list[Event]:
        return await self._storage.run(
            lambda session: insert_events(session, self._storage, drafts)
        )

    @override
    async def pending(self, page: PendingPage | None = None) -> list[Event]:
        model = self._model
        waiting = select(model.__table__).where(model.settled_at.is_(None))
        waiting = waiting.order_by(model.due_at, model.sequence)
        if page is not None:
            waiting = self._on(page, waiting)
        return await self._storage.read(lambda session: events_of(session, self._storage, waiting))

    def _on(self, page: PendingPage, waiting: Any) -> Any:
        model = self._model
        place = tuple_(model.due_at, model.sequence)
        waiting = waiting.where(model.priority == int(page.priority)).limit(page.limit)
        if page.after is not None:
            waiting = waiting.where(place > tuple_(*page.after))
        if page.until is not None:
            waiting = waiting.where(place <= tuple_(*page.until))
        if page.agents:
            waiting = waiting.where(_is_of(model.agent_id, page.agents))
        if page.without:
            waiting = waiting.where(_is_not_of(model.agent_id, page.without))
        return waiting

    @override
    async def settle(self, event: Event, *, error: str = "") -> None:
        await self._storage.write(self._settle, (event, error))

    def _settle(self, session: Session, settlements: Sequence[Settlement]) -> list[bool]:
        return settle_events(session, self._storage, settlements)

    @override
    async def postpone(self, event: Event, *, error: str) -> bool:
        def work(session: Session) -> bool:
            row = session.get(self._model, event.sequence)
            if row is None or row.settled_at is not None:
                return False
            row.due_at, row.failures, row.error = event.due_at, event.failures, error
            return True

        return await self._storage.run(work)

    @override
    async def cancel(self, event_id: str) -> Event | None:
        return await self._storage.run(
            lambda session: cancel_row(session, self._storage, event_id)
        )

    # -------------------------------------------------------------- what has happened

    @override
    async def recent(self, *, limit: int, types: Collection[str] = ()) -> list[Event]:
        model = self._model
        newest = select(model.__table__).where(model.settled_as.is_not(None))
        newest = newest.where(model.is_cancelled.is_(False))
        if types:
            newest = newest.where(model.type.in_(sorted(types)))
        newest = newest.order_by(model.settled_as.desc()).limit(limit)
        rows = await self._storage.read(lambda session: events_of(session, self._storage, newest))
        return rows[::-1]

    @override
    async def history(self, query: HistoryQuery) -> list[EventRecord]:
        model = self._model
        asked = select(model.__table__).where(model.settled_as.is_not(None))
        if query.agent_id is not None:
            asked = asked.where(model.agent_id == query.agent_id)
        if query.types:
            asked = asked.where(model.type.in_(sorted(query.types)))
        if query.since is not None:
            asked = asked.where(model.settled_at >= query.since)
        if query.until is not None:
            asked = asked.where(model.settled_at <= query.until)
        if query.before is not None:
            asked = asked.where(model.settled_as < query.before)
        return await self._records(asked.order_by(model.settled_as.desc()).limit(query.limit))

    @override
    async def as_of(
        self, moment: datetime, *, agent_id: str | None, after: int, limit: int
    ) -> list[EventRecord]:
        model = self._model
        asked = select(model.__table__).where(
            model.sequence > after,
            model.created_at <= moment,
            or_(model.settled_at.is_(None), model.settled_at > moment),
        )
        if agent_id is not None:
            asked = asked.where(model.agent_id == agent_id)
        return await self._records(asked.order_by(model.sequence).limit(limit))

    @override
    async def dead_letters(self, *, before: int | None, limit: int) -> list[EventRecord]:
        model = self._model
        dead = select(model.__table__).where(
            model.settled_as.is_not(None), model.error.is_not(None), model.replayed_as.is_(None)
        )
        if before is not None:
            dead = dead.where(model.settled_as < before)
        return await self._records(dead.order_by(model.settled_as.desc()).limit(limit))

    async def _records(self, asked: Any) -> list[EventRecord]:
        return await self._storage.read(
            lambda session: [read_record(row) for row in event_rows(session, self._storage, asked)]
        )

    @override
    async def replay(self, event_id: str, *, due_at: datetime) -> Event:
        model = self._model
        dead = select(model).where(
            model.id == event_id,
            model.settled_as.is_not(None),
            model.error.is_not(None),
            model.replayed_as.is_(None),
        )

        def work(session: Session) -> Event:
            row = session.scalar(dead.with_for_update())
            if row is None:
                raise EventNotFoundError(event_id, "dead letter")
            (event,) = insert_events(session, self._storage, [read_draft(row, due_at=due_at)])
            row.replayed_as = event.id
            return event

        return await self._storage.run(work)

    @override
    async def purge(self, before: datetime, *, limit: int) -> int:
        model = self._model
        old = select(model.sequence).where(
            model.settled_at < before,
            or_(model.error.is_(None), model.replayed_as.is_not(None)),
        )
        doomed = delete(model.__table__).where(
            model.sequence.in_(old.order_by(model.settled_at).limit(limit))
        )

        def work(session: Session) -> int:
            let_go_of_minds(session, self._storage, before=before, limit=limit)
            return int(session.connection().execute(doomed).rowcount)

        return await self._storage.run(work)

    async def latest_moment(self) -> datetime | None:
        """Return when the last event was over; None when nothing has happened yet."""
        model = self._model
        newest = select(model.settled_at).order_by(model.settled_as.desc())
        newest = newest.where(model.settled_as.is_not(None)).limit(1)
        return await self._storage.read(lambda session: session.scalar(newest))

    # -------------------------------------------------------------- what happens again

    @override
    async def add_schedule(self, schedule: Schedule, first: EventDraft) -> Event:
        return await self._schedules.add(schedule, first)

    @override
    async def schedule(self, schedule_id: str) -> Schedule | None:
        return await self._schedules.get(schedule_id)

    @override
    async def schedules(self, *, after: str, limit: int) -> list[Schedule]:
        return await self._schedules.page(after=after, limit=limit)

    @override
    async def plan_next(
        self, event: Event, *, next_at: datetime | None, draft: EventDraft | None
    ) -> Event | None:
        return await self._schedules.plan_next(event, next_at=next_at, draft=draft)

    @override
    async def end_schedule(self, schedule_id: str) -> EventId | None:
        return await self._schedules.end(schedule_id)


def _is_of(column: Any, agents: Collection[str | None]) -> Any:
    named = column.in_(sorted(agent for agent in agents if agent is not None))
    return or_(named, column.is_(None)) if None in agents else named


def _is_not_of(column: Any, agents: Collection[str | None]) -> Any:
    named = column.not_in(sorted(agent for agent in agents if agent is not None))
    return named if None in agents else or_(named, column.is_(None))
