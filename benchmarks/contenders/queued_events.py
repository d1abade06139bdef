"""What is queued in the benchmark of dispatching: the same for everybody."""

import random
from collections.abc import Iterator
from typing import Final

AGENTS: Final = 1_000
PRIORITIES: Final = 4


def queued(size: int) -> Iterator[tuple[str, int]]:
    """Yield an agent and a priority for each of the events, the same at each call."""
    chance = random.Random(7)  # noqa: S311 - no secret
    for _ in range(size):
        yield f"agent-{chance.randrange(AGENTS)}", chance.randrange(PRIORITIES)


def expected(size: int) -> dict[str, int]:
    """Return what has been done when everything was dispatched."""
    return {"dispatched": size}
