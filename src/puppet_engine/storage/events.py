"""Events as rows: nothing that is to happen is lost when the process is killed."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from typing_extensions import override

from puppet_engine.core.models import Event, EventDraft
from puppet_engine.storage.base import EventStore
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.rows import add_events, read_event, settle_event


class StoredEvents(EventStore):
    """The inbox and the timers of all agents, in the engine's database."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @override
    async def append(self, drafts: Sequence[EventDraft]) -> list[Event]:
        return await self._storage.run(lambda session: add_events(session, self._storage, drafts))

    @override
    async def pending(self) -> list[Event]:
        model = self._storage.model("Event")
        waiting = select(model).where(model.settled_at.is_(None)).order_by(model.sequence)
        return await self._storage.read(
            lambda session: [read_event(row) for row in session.scalars(waiting)]
        )

    @override
    async def settle(self, event: Event, *, error: str = "") -> None:
        await self._storage.run(
            lambda session: settle_event(session, self._storage, event, error=error)
        )

    @override
    async def postpone(self, event: Event, *, error: str) -> bool:
        def work(session: Session) -> bool:
            row = session.get(self._storage.model("Event"), event.sequence)
            if row is None or row.settled_at is not None:
                return False
            row.due_at, row.failures, row.error = event.due_at, event.failures, error
            return True

        return await self._storage.run(work)

    @override
    async def cancel(self, event_id: str) -> bool:
        def work(session: Session) -> bool:
            model = self._storage.model("Event")
            row = session.scalar(select(model).where(model.id == event_id))
            if row is None or row.settled_at is not None:
                return False
            session.delete(row)
            return True

        return await self._storage.run(work)

    @override
    async def recent(self, *, limit: int, types: Collection[str] = ()) -> list[Event]:
        model = self._storage.model("Event")
        newest = select(model).where(model.settled_as.is_not(None))
        if types:
            newest = newest.where(model.type.in_(sorted(types)))
        newest = newest.order_by(model.settled_as.desc()).limit(limit)
        rows = await self._storage.read(
            lambda session: [read_event(row) for row in session.scalars(newest)]
        )
        return rows[::-1]

    async def latest_moment(self) -> datetime | None:
        """Return when the last event was over; None when nothing has happened yet."""
        newest = select(func.max(self._storage.model("Event").settled_at))
        return await self._storage.read(lambda session: session.scalar(newest))
