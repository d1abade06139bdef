"""What a crowd of personas out of a seed would post: many more authors than a cast has."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from puppet_engine.core.models import AgentConfig
from puppet_engine.personas.handles import handle_of
from puppet_engine.personas.prompt import post_prompt, system_prompt
from puppet_engine.simulation.population import populate
from puppet_engine.simulation.scenario import FIRST_MOMENT
from puppet_engine.world.brain.writer import Message, write

REMEMBERED: Final = 8
"""So many of their own posts they are shown when they write the next one."""

EVERY: Final = timedelta(hours=5)


def crowd(*, count: int, each: int, seed: int) -> dict[str, list[str]]:
    """Return `each` posts of `count` personas, by handle, as the world's brain writes them."""
    return {handle_of(one): list(_posts(one, each, seed)) for one in populate(count, seed=seed)}


def _posts(config: AgentConfig, count: int, seed: int) -> Iterator[str]:
    chance = random.Random(f"crowd:{config.id}:{seed}")  # noqa: S311 - chatter, no secret
    system = Message("system", system_prompt(config))
    said: list[str] = []
    for number in range(count):
        prompt = post_prompt(
            topic=chance.choice(config.personality.interests or ["the day"]),
            memories=(),
            recent_posts=said[:-REMEMBERED:-1],
            now=FIRST_MOMENT + number * EVERY,
            addressed_to=None,
        )
        said.append(write(seed + number, [system, Message("user", prompt)]))
        yield said[-1]
