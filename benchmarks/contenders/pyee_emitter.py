"""pyee's emitter for asyncio: in the order of arrival, a task for each event."""

import asyncio
import contextlib
from collections.abc import Iterator

from benchmarks.contenders.queued_events import queued
from benchmarks.harness.stage import Stage, Trial
from pyee.asyncio import AsyncIOEventEmitter


@contextlib.contextmanager
def dispatch(stage: Stage) -> Iterator[Trial]:
    """Emit everything to a coroutine, and wait for it."""
    waiting = list(queued(stage.size))
    taken = 0

    async def hear(_agent: str) -> None:
        nonlocal taken
        taken += 1

    async def work() -> None:
        emitter = AsyncIOEventEmitter()
        emitter.add_listener("noted", hear)
        for agent, _ in waiting:
            emitter.emit("noted", agent)
        await emitter.wait_for_complete()

    yield Trial(work=lambda: asyncio.run(work()), check=lambda: {"dispatched": taken})
