from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from tests.fakes import FakeFeed, FakeMemoryStore, FakeNetwork, ScriptedLLM

from puppet_engine.agents.actions import Turn
from puppet_engine.agents.agent import Agent
from puppet_engine.agents.direct_ledger import DirectLedger
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.models import AgentConfig

START = datetime(2026, 1, 5, 6, tzinfo=UTC)

ADA: dict[str, Any] = {
    "id": "ada",
    "name": "Ada",
    "personality": {"interests": ["engines", "tea"]},
    "behavior": {"interaction_patterns": {"reply_probability": 1, "mention_probability": 0}},
    "initial_memory": {"relationships": [{"handle": "bob", "attitude": "a friend"}]},
}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def feed(clock: VirtualClock) -> FakeFeed:
    return FakeFeed(clock)


@pytest.fixture
def memory(clock: VirtualClock) -> FakeMemoryStore:
    return FakeMemoryStore(clock)


MakeTurn = Callable[..., Turn]


@pytest.fixture
def make_turn(clock: VirtualClock, feed: FakeFeed, memory: FakeMemoryStore) -> MakeTurn:
    """Return what builds a turn of Ada's."""

    def make(
        llm: ScriptedLLM | None = None, payload: dict[str, Any] | None = None, **more: Any
    ) -> Turn:
        parts: dict[str, Any] = {
            "agent": Agent(AgentConfig.model_validate(ADA)),
            "payload": payload or {},
            "memory": memory,
            "llm": llm or ScriptedLLM("something new"),
            "clock": clock,
            "chance": Random("a turn"),
            "ledger": DirectLedger(memory=memory, clock=clock, ids=seeded_ids(1)),
            "network": FakeNetwork(feed, "ada"),
        }
        return Turn(**{**parts, **more})

    return make


def hours(count: float) -> timedelta:
    return timedelta(hours=count)
