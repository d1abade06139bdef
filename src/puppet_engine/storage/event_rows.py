"""Rows of events as nouns, and back; without the ORM, for there may be a million."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from puppet_engine.core.history import EventRecord, Fate
from puppet_engine.core.ids import EventId, ScheduleId
from puppet_engine.core.models import Event, EventDraft, Priority
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.people import identify, of_payloads
from puppet_engine.storage.settling import settle_event


def event_row(
    storage: Storage, draft: EventDraft, *, schedule_id: ScheduleId | None = None
) -> Any:
    """Return the columns of an event that is to be kept."""
    return {
        "id": storage.ids(),
        "type": draft.type,
        "agent_id": draft.agent_id,
        "priority": int(draft.priority),
        "due_at": draft.due_at,
        "payload": draft.payload,
        "schedule_id": schedule_id,
        "created_at": storage.clock.now(),
    }


def insert_events(
    session: Session,
    storage: Storage,
    drafts: Sequence[EventDraft],
    *,
    schedule_id: ScheduleId | None = None,
) -> list[Event]:
    """Keep events that are to happen, and return them with their identities."""
    rows = [event_row(storage, draft, schedule_id=schedule_id) for draft in drafts]
    identify(session, storage, of_payloads(rows))
    return insert_rows(session, storage, drafts, rows)


def insert_rows(
    session: Session, storage: Storage, drafts: Sequence[EventDraft], rows: Sequence[Any]
) -> list[Event]:
    """Keep the rows of events whose persons are identified; return those with their identities."""
    if not drafts:
        return []
    numbers = session.connection().execute(storage.statement(_numbered), rows).scalars().all()
    return [
        Event.model_construct(
            type=draft.type,
            agent_id=draft.agent_id,
            payload=draft.payload,
            priority=draft.priority,
            due_at=draft.due_at,
            id=EventId(row["id"]),
            sequence=number,
            schedule_id=row["schedule_id"],
        )
        for draft, row, number in zip(drafts, rows, numbers, strict=True)
    ]


def _numbered(storage: Storage) -> Any:
    table: Table = storage.model("Event").__table__
    return insert(table).returning(table.c.sequence, sort_by_parameter_order=True)


def read_event(row: Any) -> Event:
    """Return an event as it stands in its row, which was checked when it was kept."""
    return Event.model_construct(
        type=row.type,
        agent_id=row.agent_id,
        payload=row.payload,
        priority=Priority(row.priority),
        due_at=row.due_at,
        id=EventId(row.id),
        sequence=row.sequence,
        failures=row.failures,
        schedule_id=row.schedule_id,
    )


def event_rows(session: Session, storage: Storage, asked: Any) -> Iterator[Any]:
    """Yield the rows that a query of the table of events finds, opened."""
    return storage.opened(storage.model("Event").__table__, session.execute(asked))


def events_of(session: Session, storage: Storage, asked: Any) -> list[Event]:
    """Return the events that a query of their table finds."""
    return [read_event(row) for row in event_rows(session, storage, asked)]


def read_draft(row: Any, *, due_at: datetime) -> EventDraft:
    """Return what an event was about, for another moment."""
    return EventDraft(
        type=row.type,
        agent_id=row.agent_id,
        payload=row.payload,
        priority=Priority(row.priority),
        due_at=due_at,
    )


def read_record(row: Any) -> EventRecord:
    """Return an event and what has become of it."""
    return EventRecord.model_construct(
        event=read_event(row),
        fate=_fate(row),
        created_at=row.created_at,
        settled_at=row.settled_at,
        settled_as=row.settled_as,
        error=row.error or "",
        replayed_as=row.replayed_as,
    )


def _fate(row: Any) -> Fate:
    if row.settled_at is None:
        return Fate.PENDING
    if row.is_cancelled:
        return Fate.CANCELLED
    if row.error is None:
        return Fate.DONE
    return Fate.DEAD if row.replayed_as is None else Fate.REPLAYED


def cancel_row(session: Session, storage: Storage, event_id: str) -> Event | None:
    """Mark an event as over without having happened; None when it is over or unknown."""
    model = storage.model("Event")
    row = session.scalar(select(model).where(model.id == event_id))
    if row is None or row.settled_at is not None:
        return None
    event = read_event(row)
    settle_event(session, storage, event, error="")
    row.is_cancelled = True
    return event
