"""What personas say of one thing twice: in a glad mood and in a low one, with all else alike."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import Final

from puppet_engine.agents.mood import name_of
from puppet_engine.core.models import AgentConfig
from puppet_engine.core.moods import MoodState
from puppet_engine.measures.showing import Twice
from puppet_engine.personas.feelings import disposition_of
from puppet_engine.personas.handles import handle_of
from puppet_engine.personas.prompt import post_prompt, system_prompt
from puppet_engine.simulation.scenario import FIRST_MOMENT
from puppet_engine.style.sentiment import valence_of
from puppet_engine.world.brain.writer import Message, write

OCCASIONS: Final = 40
"""How often each persona is asked."""

GLAD, LOW = 0.7, -0.7
"""The valences of the two moods."""


def asked_twice(cast: Sequence[AgentConfig], *, seed: int) -> dict[str, list[Twice]]:
    """Ask the world's brain what each persona would post in either mood, about its interests."""
    return {handle_of(config): list(_asked(config, seed)) for config in cast}


def _asked(config: AgentConfig, seed: int) -> Iterator[Twice]:
    system = system_prompt(config)
    topics = islice(cycle(config.personality.interests or ["the day"]), OCCASIONS)
    for number, topic in enumerate(topics):
        glad, low = (
            valence_of(_said(config, system, topic, mood, seed + number)) for mood in (GLAD, LOW)
        )
        yield Twice(glad=glad, low=low)


def _said(config: AgentConfig, system: str, topic: str, valence: float, seed: int) -> str:
    range_ = config.personality.emotional_range
    mood = MoodState(valence=valence, arousal=range_.baseline_arousal, as_of=FIRST_MOMENT)
    prompt = post_prompt(
        topic=topic,
        memories=(),
        recent_posts=(),
        now=FIRST_MOMENT,
        addressed_to=None,
        disposition=disposition_of(name_of(mood, range_), mood),
    )
    return write(seed, [Message("system", system), Message("user", prompt)])
