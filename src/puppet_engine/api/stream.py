"""Following a life: what was missed, then what happens, a batch at a time."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Send
from typing_extensions import override

from puppet_engine.api.dependencies import LifeFeed
from puppet_engine.core.errors import FellBehindError
from puppet_engine.core.models import Event

WINDOW: Final = 1_000
"""How many events back a reader can resume, and how far one may fall behind."""

RETRY_MILLISECONDS: Final = 1_000
"""How long a browser waits before it connects again."""


@dataclass(frozen=True)
class Pace:
    """How often a reader is sent something."""

    frame_seconds: float = 0.1
    """The least time between two batches: what comes in a burst is sent as one."""
    idle_seconds: float = 15
    """The longest silence: an empty batch then shows both sides that the other is there."""


@dataclass(frozen=True)
class Batch:
    """What happened since the batch before; nothing, when only time has passed."""

    events: tuple[Event, ...] = ()
    position: int | None = None
    """In the first batch: the event to resume after, for a reader that leaves early."""
    has_gap: bool = False
    """Where the reader left off is no longer known: it must begin anew."""


async def follow(feed: LifeFeed, *, after: int | None, pace: Pace) -> AsyncGenerator[Batch]:
    """Yield what happened after the event of that sequence, then all that happens, each once.

    `after=0` is the first event still known, `None` is now.
    Ends when the feed does, and when the reader is too slow: it can come again and resume.
    """
    async with feed.watch() as live:
        known = await feed.recent(limit=WINDOW)
        yield _missed(known, after=after)
        seen = {event.id for event in known}
        async with contextlib.aclosing(_batches(live, pace=pace)) as batches:
            async for batch in batches:
                yield Batch(tuple(event for event in batch if event.id not in seen))


def _missed(known: list[Event], *, after: int | None) -> Batch:
    last = known[-1].sequence if known else 0
    if after is None:
        return Batch(position=last)
    # By position, not by number: an event that was planned early may happen late.
    for position in range(len(known) - 1, -1, -1):
        if known[position].sequence == after:
            return Batch(tuple(known[position + 1 :]), position=last)
    if after == 0:
        return Batch(tuple(known), position=last)
    return Batch(position=last, has_gap=True)


async def _batches(live: AsyncIterator[Event], *, pace: Pace) -> AsyncGenerator[list[Event]]:
    waiting: list[Event] = []
    news = asyncio.Event()

    async def draw() -> None:
        try:
            # The reader was too slow, or the loop had no time for it: it can come again.
            with contextlib.suppress(FellBehindError):
                async for event in live:
                    waiting.append(event)
                    news.set()
                    if len(waiting) >= WINDOW:
                        return
        finally:
            news.set()

    drawing = asyncio.create_task(draw(), name="follow a life")
    try:
        while not (drawing.done() and not waiting):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), pace.idle_seconds)
            batch = waiting.copy()
            waiting.clear()
            news.clear()
            yield batch
            await asyncio.sleep(pace.frame_seconds)
        drawing.result()
    finally:
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)


class EventStream(StreamingResponse):
    """Server-sent events, whose source is closed as soon as the reader is gone."""

    def __init__(self, content: AsyncGenerator[bytes]) -> None:
        # Proxies must neither keep what passes nor hold it back.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(content, headers=headers, media_type="text/event-stream")
        self._content = content

    @override
    async def stream_response(self, send: Send) -> None:
        async with contextlib.aclosing(self._content):
            try:
                await super().stream_response(send)
            except asyncio.CancelledError:
                # A server that stops cuts a life short: to the reader that is an end, not a crash.
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                raise
