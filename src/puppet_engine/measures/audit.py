"""How well a memory finds again what it was told, on this machine and with its embedder."""

import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.settings import Settings
from puppet_engine.measures import circles, friendships
from puppet_engine.measures.dialogues import ASKED_AT, talks
from puppet_engine.measures.doubts import Doubts, doubted, measure_doubts, weighed_up
from puppet_engine.measures.recall import Answered, Recall, ask, measure, summed_up, tell
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.gateway import Storage

_AGENT = "audited"


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What an audit came to."""

    embedder: str
    """By what memories were found; `none`: by their words alone."""
    memories: int
    kinds: Mapping[str, Recall]
    """By the kind of question; `all` is all of them."""
    doubts: Doubts
    """How well it is told whether there is an answer."""


async def audit(
    settings: Settings, *, seed: int, people: int | None = None, topics: int | None = None
) -> Audit:
    """Tell talks with known evidence to a memory of its own, and return how well it did.

    Those of all people on all topics, or of the first few.
    Nothing is read or written but a database in memory.
    """
    said = talks(seed=seed, people=people, topics=topics)
    async with _memory(settings, seed, ASKED_AT) as (storage, store):
        turns = await tell(store, _AGENT, said)
        # What was told is taken in by the first search; none of those that are timed.
        await store.search_memories(_AGENT, "anything at all")
        kinds = await measure(store, _AGENT, said.questions, turns)
        doubts = await measure_doubts(store, _AGENT, said, turns, seed=seed)
        return Audit(embedder=storage.embedder, memories=len(turns), kinds=kinds, doubts=doubts)


async def audit_friends(settings: Settings, *, seed: int, pairs: int | None = None) -> Audit:
    """Do as `audit` with the second set: what pairs of friends said, each pair to an agent."""
    told, wrong, kinds = 0, [], {"of the other": list[bool]()}
    answers: list[Answered] = []
    async with _memory(settings, seed, friendships.ASKED_AT) as (storage, store):
        for number, pair in enumerate(friendships.friendships(seed=seed, pairs=pairs)):
            agent, asked = f"{_AGENT} {number}", pair.said.questions
            turns = await tell(store, agent, pair.said)
            await store.search_memories(agent, "anything at all")
            answers += await ask(store, agent, asked, turns)
            wrong += await doubted(store, agent, (one.text for one in asked))
            kinds["of the other"] += await doubted(store, agent, pair.unanswerable)
            told += len(turns)
        return Audit(
            embedder=storage.embedder,
            memories=told,
            kinds=summed_up(answers),
            doubts=weighed_up(kinds, wrong),
        )


async def audit_circles(settings: Settings, *, seed: int) -> Audit:
    """Do as `audit` with the third set, which is held out: what three circles said.

    Each to an agent of its own; `seed` is only of their ids.
    """
    told, wrong = 0, []
    kinds = {"of another": list[bool](), "untold": list[bool]()}
    answers: list[Answered] = []
    async with _memory(settings, seed, circles.ASKED_AT) as (storage, store):
        for number, circle in enumerate(circles.circles()):
            agent, asked = f"{_AGENT} {number}", circle.said.questions
            turns = await tell(store, agent, circle.said)
            await store.search_memories(agent, "anything at all")
            answers += await ask(store, agent, asked, turns)
            wrong += await doubted(store, agent, (one.text for one in asked))
            kinds["of another"] += await doubted(store, agent, circle.wrong)
            kinds["untold"] += await doubted(store, agent, circle.untold)
            told += len(turns)
        return Audit(
            embedder=storage.embedder,
            memories=told,
            kinds=summed_up(answers),
            doubts=weighed_up(kinds, wrong),
        )


@contextlib.asynccontextmanager
async def _memory(
    settings: Settings, seed: int, now: datetime
) -> AsyncGenerator[tuple[Storage, SQLiteStore]]:
    clock = VirtualClock(now)
    storage = Storage(
        "sqlite:///:memory:", clock=clock, ids=seeded_ids(seed), embedder=settings.embedder
    )
    await storage.open()
    try:
        yield storage, SQLiteStore(settings, storage=storage, clock=clock)
    finally:
        await storage.close()
