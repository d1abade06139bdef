"""A life that is killed at any step says, and remembers, what an undisturbed one does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import FakeFeed, FakeNetwork
from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.minds import KnownMind
from puppet_engine.core.settings import Settings
from puppet_engine.events.engine import EventEngine
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger
from timber.common.failpoints import armed

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
END = START + timedelta(minutes=25)

CAST: list[dict[str, Any]] = [
    {
        "id": name,
        "name": name.title(),
        "personality": {"interests": ["tea"]},
        "behavior": {
            "post_frequency": {"min_hours_between_posts": 0.5, "max_hours_between_posts": 1},
            "interaction_patterns": {"reply_probability": 1, "mention_probability": 0.5},
        },
        "initial_memory": {
            "core_memories": [f"I am {name}"],
            "relationships": [{"handle": friend}],
        },
    }
    for name, friend in (("ada", "bob"), ("bob", "ada"))
]


class Killed(BaseException):
    """What `kill -9` is to a test: nothing may catch it."""


class Fate:
    """Ends a process at the n-th failpoint that it passes."""

    def __init__(self, *, fatal: int = 0) -> None:
        self.steps = 0
        self._fatal = fatal

    def step(self, _point: str) -> None:
        self.steps += 1
        if self.steps == self._fatal:
            raise Killed


class SeededLLM(LLMProvider):
    """Says something new at each new seed, and the same at the same."""

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        return Completion(text=f"thought number {request.options.seed}")


async def live(database: Path, feed: FakeFeed, fate: Fate) -> None:
    """Be one process: live from where the database was left until the end, or a kill."""
    clock = feed.clock
    assert isinstance(clock, VirtualClock)
    storage = Storage(f"sqlite:///{database}", clock=clock, ids=random_id, synchronous="NORMAL")
    await storage.open()
    try:
        events = StoredEvents(storage)
        clock.set(await events.latest_moment() or START)
        engine = EventEngine(store=events, clock=clock)

        async def open_account(agent: Agent) -> SocialNetwork:
            return FakeNetwork(feed, agent.handle)

        manager = AgentManager(
            {
                "memory_store": SQLiteStore(Settings(), storage=storage, clock=clock),
                "default_llm_provider": SeededLLM(),
                "event_engine": engine,
                "storage": StoredLedger(storage),
                "clock": clock,
                "open_account": open_account,
            }
        )
        with armed(fate.step):
            for config in CAST:
                await manager.create_agent(config)
            await manager.start_agents()
            await engine.run_until(END)
    finally:
        await storage.close()


async def remembered(
    database: Path, clock: VirtualClock
) -> tuple[dict[str, list[str]], list[KnownMind]]:
    """Return what all remember, and what they feel and for whom."""
    storage = Storage(f"sqlite:///{database}", clock=clock, ids=random_id)
    await storage.open()
    store = SQLiteStore(Settings(), storage=storage, clock=clock)
    memories = {
        agent: sorted(memory.content for memory in await store.get_memories(agent, limit=1000))
        for agent in ("ada", "bob")
    }
    minds = [await StoredLedger(storage).mind(agent) for agent in ("ada", "bob")]
    await storage.close()
    return memories, minds


def said(feed: FakeFeed) -> list[tuple[str, str, datetime, str | None]]:
    return [
        (post.author_handle, post.text, post.created_at, post.in_reply_to)
        for post in feed.posts.values()
    ]


@pytest.fixture
async def undisturbed(tmp_path: Path) -> Any:
    """Return what is said and remembered in a life that nobody kills, and its steps."""
    database = tmp_path / "undisturbed.db"
    feed, fate = FakeFeed(VirtualClock(START)), Fate()
    await live(database, feed, fate)
    memories = await remembered(database, VirtualClock(END))
    return said(feed), memories, fate.steps


SHARES = 40
"""The steps are dealt out to so many tests; two of them are run always, all by the long soak."""

shares = [pytest.param(n, marks=[pytest.mark.slow] if n > 1 else []) for n in range(SHARES)]


@pytest.mark.parametrize("share", shares)
@pytest.mark.timeout(240)
async def test_a_life_killed_at_any_step_is_the_life_that_nobody_killed(
    share: int, tmp_path: Path, undisturbed: Any
) -> None:
    posts, memories, steps = undisturbed
    assert len(posts) >= 5
    assert any(in_reply_to for *_, in_reply_to in posts)
    assert all(mind.mood is not None for mind in memories[1])

    for fatal in range(1 + share, steps + 1, SHARES):
        database = tmp_path / f"killed-at-{fatal}.db"
        feed = FakeFeed(VirtualClock(START))
        with pytest.raises(Killed):
            await live(database, feed, Fate(fatal=fatal))
        await live(database, feed, Fate())

        assert said(feed) == posts, f"killed at step {fatal} of {steps}"
        assert await remembered(database, VirtualClock(END)) == memories, f"killed at {fatal}"
