"""The API over the engine's own agents, events and time."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient
from tests.fake_life import NOON, FakeMemories

from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.api.server import APIServer
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.models import EventDraft
from puppet_engine.dashboard.routes import Dashboard
from puppet_engine.events.engine import EventEngine
from puppet_engine.llm.fake_provider import FakeLLMProvider


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def engine(clock: VirtualClock) -> EventEngine:
    return EventEngine(clock=clock)


@pytest.fixture
def client(engine: EventEngine, clock: VirtualClock) -> TestClient:
    memories = FakeMemories()
    manager = AgentManager(
        {
            "memory_store": memories,
            "default_llm_provider": FakeLLMProvider(),
            "event_engine": engine,
            "clock": clock,
        }
    )
    server = APIServer(manager, memories, feed=engine, clock=clock)
    Dashboard(agents=manager, feed=engine, clock=clock).install(server.app)
    return TestClient(server.app)


def test_an_agent_made_over_http_remembers_what_it_is_told(client: TestClient) -> None:
    created = client.post("/agents", json={"id": "alice", "name": "Alice"})
    told = client.post("/memory/alice", json={"type": "recent", "content": "it rained"})
    remembered = client.get("/memory/alice")

    assert created.json()["data"] == {"agent_id": "alice"}
    assert told.status_code == 201
    assert [each["content"] for each in remembered.json()["data"]["memories"]] == ["it rained"]
    assert "it rained" in client.get("/").text


def test_nobody_remembers_nothing(client: TestClient) -> None:
    assert client.get("/memory/nobody").status_code == 404
    assert client.post("/memory/nobody", json={"content": "it rained"}).status_code == 404


async def test_what_has_happened_is_listed_and_shown(
    client: TestClient, engine: EventEngine
) -> None:
    said = {"post_id": "1", "handle": "alice", "name": "Alice", "text": "good morning"}
    await engine.publish(EventDraft(type="post.published", due_at=NOON, payload=said))

    await engine.run_until(NOON + timedelta(seconds=1))

    (event,) = client.get("/events").json()["data"]["events"]
    assert event["payload"]["text"] == "good morning"
    assert "good morning" in client.get("/").text
