"""cashews: its cache in memory."""

import asyncio
import contextlib
from collections.abc import Iterator

from benchmarks.contenders import cached_values
from benchmarks.harness.stage import Stage, Trial
from cashews import Cache


@contextlib.contextmanager
def look_up(stage: Stage) -> Iterator[Trial]:
    """Look values up that the cache holds."""
    keys = [cached_values.key(number) for number in range(stage.size)]
    found = 0

    async def run() -> None:
        nonlocal found
        cache = Cache()
        cache.setup("mem://", size=2 * cached_values.KEYS)
        for number in range(cached_values.KEYS):
            await cache.set(cached_values.key(number), cached_values.value(number), expire=3600)
        found = 0
        for key in keys:
            found += bool(await cache.get(key))
        await cache.close()

    yield Trial(work=lambda: asyncio.run(run()), check=lambda: {"found": found})
