"""A rehearsal of a cast: what they said and felt, when, and out of what."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import AgentConfig, Noun
from puppet_engine.simulation.digests import Utterance, digest, utterances_on
from puppet_engine.simulation.life import Life, Progress
from puppet_engine.simulation.scenario import FIRST_MOMENT, Scenario
from puppet_engine.simulation.simulate import never, rubbish_left_lying
from puppet_engine.storage.inline import InlineStorage

LOOKS_FOR_MENTIONS_MINUTES: Final = 120.0
"""How often the cast looks for mentions: often enough for conversations of a day."""


class Rehearsal(Noun):
    """What is known of a rehearsed life when it is over."""

    days: float
    seed: int
    cast: list[AgentConfig]
    said: list[Utterance]
    digest: str
    """SHA-256 of everything said."""


async def rehearse_cast(
    cast: Sequence[AgentConfig],
    *,
    days: float,
    seed: int,
    progress: Callable[[Progress], None],
) -> Rehearsal:
    """Let a cast live some virtual days in a world of its own, and return what it came to.

    The world's brain speaks for everybody, whatever keys are set: it costs nothing.
    The same cast, days and seed are the same life.
    """
    scenario = Scenario(
        agents=len(cast),
        days=days,
        seed=seed,
        mention_poll_minutes=LOOKS_FOR_MENTIONS_MINUTES,
    )
    with tempfile.TemporaryDirectory(prefix="puppets-") as directory:
        life = Life(scenario, cast, directory=Path(directory))
        with rubbish_left_lying():
            await life.live(progress=progress, stopped=never)
        storage = InlineStorage(life.database_url, clock=VirtualClock(FIRST_MOMENT), ids=random_id)
        await storage.open()
        try:
            return await _what_came_of(life, storage)
        finally:
            await storage.close()


async def _what_came_of(life: Life, storage: InlineStorage) -> Rehearsal:
    said = utterances_on(life.world.site)
    return Rehearsal(
        days=life.scenario.days,
        seed=life.scenario.seed,
        cast=list(life.cast),
        said=said,
        digest=digest(one.line() for one in said),
    )
