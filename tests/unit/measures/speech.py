"""What the cast says without an engine: the world's brain, real prompts, and the real gate."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from puppet_engine.core.models import AgentConfig
from puppet_engine.personas.handles import handle_of
from puppet_engine.personas.prompt import post_prompt, system_prompt
from puppet_engine.personas.reader import read_personas
from puppet_engine.style.gate import Gate
from puppet_engine.world.brain.writer import Message, write

BEGIN: Final = datetime(2026, 1, 5, 6, tzinfo=UTC)
REMEMBERED: Final = 8
LOOKED_BACK: Final = 60
TRIES: Final = 12


@cache
def cast(count: int = 5) -> dict[str, AgentConfig]:
    """Return the first few of the cast, by handle."""
    personas = read_personas(Path(__file__).parents[3] / "config/agents")
    return {handle_of(config): config for config in personas[:count]}


@cache
def speech(count: int = 5, each: int = 90) -> dict[str, tuple[str, ...]]:
    """Return what they post, by handle: nobody may change it, for it is made once."""
    return {handle: tuple(_posts(config, each)) for handle, config in cast(count).items()}


def _posts(config: AgentConfig, count: int) -> Iterator[str]:
    system = Message("system", system_prompt(config))
    gate = Gate(config)
    said: list[str] = []
    for number in range(count):
        chance = random.Random(f"{config.id}:{number}")
        prompt = post_prompt(
            topic=chance.choice(config.personality.interests),
            memories=(),
            recent_posts=said[:-REMEMBERED:-1],
            now=BEGIN + timedelta(hours=5 * number),
            addressed_to=None,
        )
        drafts = (
            write(TRIES * number + at, [system, Message("user", prompt)]) for at in range(TRIES)
        )
        own = said[:-LOOKED_BACK:-1]
        said.append(next(text for text in drafts if not gate.judge(text, own=own)))
    yield from said
