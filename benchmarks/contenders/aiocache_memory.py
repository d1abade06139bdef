"""aiocache: its cache in memory."""

import asyncio
import contextlib
from collections.abc import Iterator

from aiocache import SimpleMemoryCache
from benchmarks.contenders import cached_values
from benchmarks.harness.stage import Stage, Trial


@contextlib.contextmanager
def look_up(stage: Stage) -> Iterator[Trial]:
    """Look values up that the cache holds."""
    keys = [cached_values.key(number) for number in range(stage.size)]
    found = 0

    async def run() -> None:
        nonlocal found
        cache = SimpleMemoryCache()
        for number in range(cached_values.KEYS):
            await cache.set(cached_values.key(number), cached_values.value(number))
        found = 0
        for key in keys:
            found += bool(await cache.get(key))
        await cache.close()

    yield Trial(work=lambda: asyncio.run(run()), check=lambda: {"found": found})
