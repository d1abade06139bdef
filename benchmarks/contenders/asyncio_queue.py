"""asyncio's own priority queue: no ageing, no order per agent, no fairness."""

import asyncio
import contextlib
from collections.abc import Iterator

from benchmarks.contenders.queued_events import queued
from benchmarks.harness.stage import Stage, Trial


@contextlib.contextmanager
def dispatch(stage: Stage) -> Iterator[Trial]:
    """Take everything out of a queue and hand it to a coroutine."""
    queue: asyncio.PriorityQueue[tuple[int, int, str]] = asyncio.PriorityQueue()
    for number, (agent, priority) in enumerate(queued(stage.size)):
        queue.put_nowait((priority, number, agent))
    taken = 0

    async def hear(_agent: str) -> None:
        nonlocal taken
        taken += 1

    async def work() -> None:
        while not queue.empty():
            _, _, agent = await queue.get()
            await hear(agent)

    yield Trial(work=lambda: asyncio.run(work()), check=lambda: {"dispatched": taken})
