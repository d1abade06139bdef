"""What operators ask of the events: what was, what is planned, what failed."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from puppet_engine.api.dependencies import EventDesk
from puppet_engine.api.schemas import (
    Cancelled,
    EventReplayed,
    Limit,
    RecordList,
    ScheduleList,
    SequenceNumber,
    Success,
)
from puppet_engine.core.errors import EventNotFoundError
from puppet_engine.core.history import HistoryQuery


def desk_routes(desk: EventDesk) -> APIRouter:
    """Return the routes of history, schedules and dead letters."""
    router = APIRouter(prefix="/events", tags=["events"])

    @router.get("/history")
    async def read_history(
        agent_id: str | None = None,
        type: Annotated[list[str] | None, Query()] = None,  # noqa: A002 - as events call it
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        before: SequenceNumber | None = None,
        limit: Limit = 100,
    ) -> Success[RecordList]:
        """Return what is over, newest first; `before` is the `settled_as` of the last record."""
        query = HistoryQuery(
            agent_id=agent_id,
            types=type or (),
            since=since,
            until=until,
            before=before,
            limit=limit,
        )
        return Success(data=RecordList(records=await desk.history(query)))

    @router.get("/as-of")
    async def read_as_of(
        moment: AwareDatetime,
        agent_id: str | None = None,
        after: SequenceNumber = 0,
        limit: Limit = 100,
    ) -> Success[RecordList]:
        """Return what was pending at a moment; `after` is the last record's sequence."""
        records = await desk.as_of(moment, agent_id=agent_id, after=after, limit=limit)
        return Success(data=RecordList(records=records))

    @router.get("/dead-letters")
    async def list_dead_letters(
        before: SequenceNumber | None = None, limit: Limit = 100
    ) -> Success[RecordList]:
        """Return the events that were given up, newest first, each with the reason."""
        records = await desk.dead_letters(before=before, limit=limit)
        return Success(data=RecordList(records=records))

    @router.post("/dead-letters/{event_id}/replay")
    async def replay_dead_letter(event_id: str) -> Success[EventReplayed]:
        """Let what a dead letter is about happen again, now, as a new event."""
        return Success(data=EventReplayed(event=await desk.replay(event_id)))

    @router.get("/schedules")
    async def list_schedules(after: str = "", limit: Limit = 100) -> Success[ScheduleList]:
        schedules = await desk.schedules(after=after, limit=limit)
        return Success(data=ScheduleList(schedules=schedules))

    @router.delete("/{event_or_schedule_id}")
    async def cancel(event_or_schedule_id: str) -> Success[Cancelled]:
        """Drop an event that has not happened yet, or end a schedule."""
        if not await desk.cancel(event_or_schedule_id):
            raise EventNotFoundError(event_or_schedule_id, "event ahead or schedule")
        return Success(data=Cancelled(cancelled=event_or_schedule_id))

    return router
