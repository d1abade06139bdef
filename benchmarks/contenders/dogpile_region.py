"""dogpile.cache: a region in memory."""

import contextlib
from collections.abc import Iterator

from benchmarks.contenders import cached_values
from benchmarks.harness.stage import Stage, Trial
from dogpile.cache import make_region


@contextlib.contextmanager
def look_up(stage: Stage) -> Iterator[Trial]:
    """Look values up that the region holds."""
    region = make_region().configure("dogpile.cache.memory", expiration_time=3600)
    for number in range(cached_values.KEYS):
        region.set(cached_values.key(number), cached_values.value(number))
    keys = [cached_values.key(number) for number in range(stage.size)]
    found = 0

    def work() -> None:
        nonlocal found
        found = sum(bool(region.get(key)) for key in keys)

    yield Trial(work=work, check=lambda: {"found": found})
