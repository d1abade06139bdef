"""Schedules as rows: what happens again and again outlives the process."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from puppet_engine.core.ids import EventId, ScheduleId
from puppet_engine.core.models import Event, EventDraft, EventTemplate
from puppet_engine.core.schedules import Recurrence, Schedule
from puppet_engine.storage.event_rows import insert_events
from puppet_engine.storage.gateway import Storage


class Schedules:
    """The schedules of one database."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @property
    def _model(self) -> Any:
        return self._storage.model("Schedule")

    async def add(self, schedule: Schedule, first: EventDraft) -> Event:
        """Keep a schedule together with its first occurrence, and return that."""

        def work(session: Session) -> Event:
            (event,) = insert_events(session, self._storage, [first], schedule_id=schedule.id)
            row = self._model(
                id=schedule.id,
                recurrence=schedule.recurrence.model_dump(mode="json"),
                template=schedule.template.model_dump(mode="json"),
                created_at=schedule.created_at,
                next_at=schedule.next_at,
                event_id=event.id,
            )
            session.add(row)
            return event

        return await self._storage.run(work)

    async def get(self, schedule_id: str) -> Schedule | None:
        """Return a schedule; None when there is none, or it is over."""

        def work(session: Session) -> Schedule | None:
            row = self._active(session, schedule_id)
            return None if row is None else _read(row)

        return await self._storage.run(work)

    async def page(self, *, after: str, limit: int) -> list[Schedule]:
        """Return a page of the schedules that are not over, by id."""
        model = self._model
        active = select(model).where(model.next_at.is_not(None), model.id > after)
        active = active.order_by(model.id).limit(limit)
        return await self._storage.run(
            lambda session: [_read(row) for row in session.scalars(active)]
        )

    async def plan_next(
        self, event: Event, *, next_at: datetime | None, draft: EventDraft | None
    ) -> Event | None:
        """Keep the occurrence after `event`, once; return what was kept."""

        def work(session: Session) -> Event | None:
            row = self._active(session, event.schedule_id or "")
            if row is None or row.event_id != event.id:
                return None
            row.next_at = next_at
            if draft is None:
                return None
            (following,) = insert_events(
                session, self._storage, [draft], schedule_id=event.schedule_id
            )
            row.event_id = following.id
            return following

        return await self._storage.run(work)

    async def end(self, schedule_id: str) -> EventId | None:
        """End a schedule; return the id of the occurrence planned last, None when it is over."""

        def work(session: Session) -> EventId | None:
            row = self._active(session, schedule_id)
            if row is None:
                return None
            row.next_at = None
            return EventId(row.event_id)

        return await self._storage.run(work)

    def _active(self, session: Session, schedule_id: str) -> Any:
        model = self._model
        active = select(model).where(model.id == schedule_id, model.next_at.is_not(None))
        return session.scalar(active.with_for_update())


def _read(row: Any) -> Schedule:
    return Schedule(
        id=ScheduleId(row.id),
        recurrence=Recurrence.model_validate(row.recurrence),
        template=EventTemplate.model_validate(row.template),
        created_at=row.created_at,
        next_at=row.next_at,
    )
