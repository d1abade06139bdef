"""Gives personas facts about themselves, lets months of talk pass, and asks for them again."""

import random
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from puppet_engine.agents.answering import remember_hearing
from puppet_engine.agents.first_day import first_memories
from puppet_engine.agents.recall import RECALLED
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import PostId, seeded_ids
from puppet_engine.core.models import AgentConfig, Memory, Post
from puppet_engine.core.settings import Settings
from puppet_engine.measures.canaries import Asked
from puppet_engine.measures.dialogues import talks
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.personas.handles import handle_of
from puppet_engine.personas.prompt import reply_prompt, system_prompt
from puppet_engine.simulation.scenario import FIRST_MOMENT
from puppet_engine.storage.inline import InlineStorage
from puppet_engine.world.brain.writer import Message, write

ASKED_AFTER: Final = (1.0, 30.0, 90.0)
"""After so many days each canary is asked for, in different words each time."""

TALKS: Final = 4
"""Of so many topics so many people talk to everybody meanwhile."""

EMBEDDER: Final = "static"
"""By what a rehearsed life finds memories, too."""

SELF: Final = "me"
"""Who speaks in talks when it is the persona."""

_ASKER, _VISITOR = "quincy", "prudie"


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A fact about somebody: how they know it, how others say the like, how it is asked for."""

    fact: str
    rumour: str
    values: tuple[str, ...]
    questions: tuple[str, ...]


@cache
def known_canaries() -> tuple[Canary, ...]:
    """Return the canaries there are."""
    text = (files("puppet_engine.appraisal") / "canaries.toml").read_text("utf-8")
    return tuple(_canary(one) for one in tomllib.loads(text)["canary"])


def _canary(told: Mapping[str, Any]) -> Canary:
    return Canary(
        fact=told["fact"],
        rumour=told["rumour"],
        values=tuple(told["values"]),
        questions=tuple(told["questions"]),
    )


async def canaries_asked(cast: Sequence[AgentConfig], *, seed: int) -> list[Asked]:
    """Give everybody all canaries on their first day, let others talk, and ask for them again.

    In a database in memory; the world's brain answers.
    """
    chance = random.Random(f"canaries:{seed}")  # noqa: S311 - to be repeated, no secret
    settings, clock = Settings(embedder=EMBEDDER), VirtualClock(FIRST_MOMENT)
    storage = InlineStorage(
        "sqlite:///:memory:", clock=clock, ids=seeded_ids(seed), embedder=EMBEDDER
    )
    await storage.open()
    try:
        store = SQLiteStore(settings, storage=storage, clock=clock)
        given = [_Given(config, chance) for config in cast]
        for one in given:
            for memory in first_memories(one.config):
                await store.add_memory(one.config.id, memory)
        ahead = sorted((turn for one in given for turn in one.heard), key=lambda turn: turn.at)
        return [asked async for asked in _asked(given, ahead, store, clock, seed)]
    finally:
        await storage.close()


class _Heard(NamedTuple):
    """Something that a persona hears, and when."""

    at: datetime
    agent_id: str
    memory: Memory


class _Given:
    """A persona with its canaries, and what others will tell it."""

    def __init__(self, config: AgentConfig, chance: random.Random) -> None:
        self.canaries: list[tuple[Canary, str, str]] = []
        """Each with the value that is true of the persona, and one that is true of another."""
        for one in known_canaries():
            own, others = chance.sample(one.values, 2)
            self.canaries.append((one, own, others))
        facts = [one.fact.format(value=own) for one, own, _ in self.canaries]
        known = config.initial_memory
        with_facts = known.model_copy(update={"core_memories": [*known.core_memories, *facts]})
        self.config = config.model_copy(update={"initial_memory": with_facts})
        said = talks(seed=chance.randrange(1_000), people=TALKS, topics=TALKS)
        ahead = FIRST_MOMENT - said.turns[0].said_at
        self.heard = [
            _Heard(one.said_at + ahead, config.id, _spoken(one.memory, handle_of(config)))
            for one in said.turns
        ]
        for canary, _, others in self.canaries:
            at = FIRST_MOMENT + timedelta(days=chance.uniform(0.1, 80))
            self.heard.append(_Heard(at, config.id, _told(canary, others, at)))


def _spoken(memory: Memory, handle: str) -> Memory:
    """Return the memory of a turn, one's own under one's handle, as the engine keeps them."""
    if memory.metadata["speaker"] != SELF:
        return memory
    return memory.model_copy(update={"metadata": {**memory.metadata, "speaker": handle}})


def _told(canary: Canary, value: str, at: datetime) -> Memory:
    """Return what is remembered of somebody who says the like of themselves."""
    post = _post(_VISITOR, canary.rumour.format(value=value), at)
    return remember_hearing(post)


async def _asked(
    given: Sequence[_Given],
    ahead: Sequence[_Heard],
    store: SQLiteStore,
    clock: VirtualClock,
    seed: int,
) -> AsyncIterator[Asked]:
    """Yield the questions for all canaries, each after what was said until then is heard."""
    coming = iter(ahead)
    waiting = next(coming, None)
    for number, days in enumerate(ASKED_AFTER):
        until = FIRST_MOMENT + timedelta(days=days)
        while waiting is not None and waiting.at <= until:
            clock.set(waiting.at)
            await store.add_memory(waiting.agent_id, waiting.memory)
            waiting = next(coming, None)
        clock.set(until)
        for one in given:
            for canary, own, _ in one.canaries:
                for question in canary.questions[number :: len(ASKED_AFTER)]:
                    mind, said = await answer(store, one.config, question, now=until, seed=seed)
                    yield Asked(
                        handle=handle_of(one.config),
                        days=days,
                        question=question,
                        value=own,
                        others=tuple(it for it in canary.values if it != own),
                        mind=mind,
                        said=said,
                    )


async def answer(
    store: SQLiteStore, config: AgentConfig, question: str, *, now: datetime, seed: int
) -> tuple[tuple[str, ...], str]:
    """Return what comes to a persona's mind of itself at a question, and what it answers."""
    post = _post(_ASKER, question, now)
    found = await store.search_memories(config.id, f"{_ASKER} {question}", limit=RECALLED)
    prompt = reply_prompt(
        post=post,
        thread=(),
        memories=[memory.content for memory in found],
        recent_posts=(),
        now=now,
    )
    messages = [Message("system", system_prompt(config)), Message("user", prompt)]
    own = tuple(one.content for one in found if one.metadata.get("source") != "network")
    return own, write(seed, messages)


def _post(handle: str, text: str, at: datetime) -> Post:
    post_id = PostId(f"{at.timestamp():.0f}")
    return Post(
        id=post_id,
        author_id=handle,
        author_handle=handle,
        text=text,
        created_at=at,
        conversation_id=post_id,
    )
