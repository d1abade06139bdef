"""How the tests talk with the brain: with the prompts that agents send."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from puppet_engine.core.ids import PostId
from puppet_engine.core.models import Acquaintance, AgentConfig, Post
from puppet_engine.personas.prompt import post_prompt, reply_prompt, system_prompt
from puppet_engine.personas.reader import read_personas
from puppet_engine.world.brain.writer import Message, write

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
CAST = read_personas(Path(__file__).parents[3] / "config" / "agents")


def said(text: str, *, by: str = "bob") -> Post:
    return Post(
        id=PostId("1"),
        author_id=by,
        author_handle=by,
        text=text,
        created_at=START,
        conversation_id=PostId("1"),
    )


def write_post(
    persona: AgentConfig,
    topic: str,
    *,
    seed: int = 7,
    memories: Sequence[str] = (),
    recent: Sequence[str] = (),
    to: Acquaintance | None = None,
) -> str:
    prompt = post_prompt(
        topic=topic, memories=memories, recent_posts=recent, now=START, addressed_to=to
    )
    return ask(persona, prompt, seed=seed)


def write_reply(
    persona: AgentConfig, text: str, *, thread: Sequence[Post] = (), seed: int = 7
) -> str:
    prompt = reply_prompt(post=said(text), thread=thread, memories=(), recent_posts=(), now=START)
    return ask(persona, prompt, seed=seed)


def ask(persona: AgentConfig, prompt: str, *, seed: int) -> str:
    return write(seed, [Message("system", system_prompt(persona)), Message("user", prompt)])


def live(persona: AgentConfig, count: int, *, seed: int = 7) -> list[str]:
    """Return what a persona posts in the first weeks, each post knowing the ten before."""
    chance = random.Random(seed)
    memory = persona.initial_memory
    known = [*memory.core_memories, *memory.recent_events]
    posts: list[str] = []
    for number in range(count):
        people = memory.relationships if chance.random() < 0.2 else []
        prompt = post_prompt(
            topic=chance.choice(persona.personality.interests),
            memories=chance.sample(known, min(3, len(known))),
            recent_posts=posts[-10:],
            now=START + timedelta(hours=4 * number),
            addressed_to=chance.choice(people) if people else None,
        )
        posts.append(ask(persona, prompt, seed=seed))
    return posts
