"""What happens to the agents, as it happens."""

from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from puppet_engine.api.dependencies import LifeFeed
from puppet_engine.api.schemas import EventList, Limit, SequenceNumber, Success
from puppet_engine.api.stream import RETRY_MILLISECONDS, Batch, EventStream, Pace, follow


def event_routes(feed: LifeFeed, *, pace: Pace) -> APIRouter:
    """Return the routes of the events."""
    router = APIRouter(prefix="/events", tags=["events"])

    @router.get("")
    async def list_events(limit: Limit = 100) -> Success[EventList]:
        return Success(data=EventList(events=await feed.recent(limit=limit)))

    @router.get(
        "/stream",
        response_class=StreamingResponse,
        responses={HTTPStatus.OK: {"content": {"text/event-stream": {}}}},
    )
    async def stream_events(
        after: SequenceNumber | None = None,
        last_event_id: Annotated[SequenceNumber | None, Header()] = None,
    ) -> EventStream:
        """Send events as they happen.

        Each message is an event as JSON, its `id` the event's sequence.
        A reader resumes with `Last-Event-ID`, or `after`.
        A message of the type `gap` says that what came after that event is no longer known.
        """
        start = last_event_id if last_event_id is not None else after
        return EventStream(_messages(feed, after=start, pace=pace))

    return router


async def _messages(feed: LifeFeed, *, after: int | None, pace: Pace) -> AsyncGenerator[bytes]:
    yield format_sse_event(retry=RETRY_MILLISECONDS)
    async for batch in follow(feed, after=after, pace=pace):
        yield _encode(batch)


def _encode(batch: Batch) -> bytes:
    if batch.has_gap:
        return format_sse_event(event="gap", data_str="{}", id=str(batch.position))
    if not batch.events and batch.position is not None:
        return format_sse_event(id=str(batch.position))
    if not batch.events:
        return format_sse_event(comment="alive")
    return b"".join(
        format_sse_event(id=str(event.sequence), data_str=event.model_dump_json())
        for event in batch.events
    )
