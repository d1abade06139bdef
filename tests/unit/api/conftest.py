"""A server over a small cast."""

import pytest
from starlette.testclient import TestClient
from tests.fake_life import NOON, FakeAgent, FakeAgents, FakeFeed

from puppet_engine.api.server import APIServer
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.models import AgentConfig, Personality, SolanaIntegration

ALICE = AgentConfig(
    id="alice",
    name="Alice Ames",
    handle="alice_a",
    personality=Personality(traits=["curious"]),
    solana_integration=SolanaIntegration.model_validate(
        {"wallet_address": "A1ice", "private_key": "the-secret-key"}
    ),
)


@pytest.fixture
def agents() -> FakeAgents:
    return FakeAgents(agents={"alice": FakeAgent(ALICE)})


@pytest.fixture
def feed() -> FakeFeed:
    return FakeFeed(closed=True)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON, factor=60)


@pytest.fixture
def client(agents: FakeAgents, feed: FakeFeed, clock: VirtualClock) -> TestClient:
    server = APIServer(agents, agents.memories, feed=feed, clock=clock)
    return TestClient(server.app, raise_server_exceptions=False)
