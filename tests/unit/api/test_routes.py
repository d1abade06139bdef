"""What each route answers."""

from math import inf

import pytest
from starlette.testclient import TestClient
from tests.fake_life import FakeAgents, FakeFeed

from puppet_engine.api.server import APIServer
from puppet_engine.core.clock import SystemClock, VirtualClock


def test_health_says_that_the_server_is_there(client: TestClient) -> None:
    answer = client.get("/health")

    assert answer.status_code == 200
    assert answer.json() == {"status": "success", "data": {"status": "healthy"}}


def test_agents_are_listed_without_their_secrets(client: TestClient) -> None:
    answer = client.get("/agents")

    (alice,) = answer.json()["data"]["agents"]
    assert alice["id"] == "alice"
    assert alice["handle"] == "alice_a"
    assert alice["traits"] == ["curious"]
    assert alice["is_active"] is True
    assert alice["wallet_address"] == "A1ice"
    assert "secret" not in answer.text


def test_one_agent_is_shown(client: TestClient) -> None:
    answer = client.get("/agents/alice")

    assert answer.json()["data"]["name"] == "Alice Ames"
    assert "secret" not in answer.text


def test_an_agent_can_be_created(client: TestClient, agents: FakeAgents) -> None:
    answer = client.post("/agents", json={"id": "bob", "name": "Bob"})

    assert answer.status_code == 201
    assert answer.json() == {"status": "success", "data": {"agent_id": "bob"}}
    assert agents.agents["bob"].name == "Bob"


def test_a_taken_id_is_a_conflict(client: TestClient) -> None:
    answer = client.post("/agents", json={"id": "alice", "name": "Another"})

    assert answer.status_code == 409
    assert answer.json()["error"]["type"] == "AgentExistsError"


def test_an_agent_can_be_made_to_post(client: TestClient, agents: FakeAgents) -> None:
    answer = client.post("/agents/alice/posts", json={"context": {"topic": "tea"}})

    assert answer.status_code == 201
    assert answer.json()["data"] == {"post_id": "post-1"}
    assert agents.contexts == [{"topic": "tea"}]


def test_a_post_needs_no_context(client: TestClient, agents: FakeAgents) -> None:
    answer = client.post("/agents/alice/posts")

    assert answer.status_code == 201
    assert agents.contexts == [{}]


def test_what_is_added_to_a_memory_is_found_there(client: TestClient) -> None:
    added = client.post("/memory/alice", json={"type": "recent", "content": "it rained"})
    found = client.get("/memory/alice")

    assert added.status_code == 201
    (memory,) = found.json()["data"]["memories"]
    assert memory["id"] == added.json()["data"]["memory_id"]
    assert memory["content"] == "it rained"
    assert memory["type"] == "recent"


def test_memories_can_be_searched(client: TestClient) -> None:
    for content in ("it rained", "tea with Bob"):
        client.post("/memory/alice", json={"content": content})

    found = client.get("/memory/alice", params={"query": "tea"})

    assert [each["content"] for each in found.json()["data"]["memories"]] == ["tea with Bob"]


def test_a_memory_can_be_forgotten(client: TestClient, agents: FakeAgents) -> None:
    added = client.post("/memory/alice", json={"content": "it rained"})
    path = f"/memory/alice/{added.json()['data']['memory_id']}"

    assert client.delete(path).status_code == 204
    assert agents.memories.kept == []
    assert client.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/agents/nobody", None),
        ("POST", "/agents/nobody/posts", None),
        ("GET", "/memory/nobody", None),
        ("GET", "/memory/nobody?query=tea", None),
        ("POST", "/memory/nobody", {"content": "it rained"}),
        ("DELETE", "/memory/nobody/memory-1", None),
    ],
)
def test_an_agent_that_is_not_there_is_not_found(
    client: TestClient, method: str, path: str, body: object
) -> None:
    answer = client.request(method, path, json=body)

    assert answer.status_code == 404
    assert answer.json()["status"] == "error"
    assert answer.json()["error"]["type"] == "AgentNotFoundError"


def test_events_are_listed_oldest_first(client: TestClient, feed: FakeFeed) -> None:
    for number in range(3):
        feed.say(str(number), f"post {number}")

    answer = client.get("/events", params={"limit": 2})

    events = answer.json()["data"]["events"]
    assert [event["payload"]["text"] for event in events] == ["post 1", "post 2"]


def test_the_clock_tells_its_time_and_factor(client: TestClient) -> None:
    answer = client.get("/clock")

    assert answer.json()["data"] == {"now": "2026-03-03T12:00:00Z", "factor": 60}


def test_the_clock_can_be_made_faster(client: TestClient, clock: VirtualClock) -> None:
    answer = client.put("/clock", json={"factor": 3600})

    assert answer.json()["data"]["factor"] == 3600
    assert clock.factor == 3600


def test_a_clock_without_bounds_is_told_in_json(client: TestClient, clock: VirtualClock) -> None:
    clock.factor = inf

    assert client.get("/clock").json()["data"]["factor"] == "Infinity"


@pytest.mark.parametrize("factor", [0, -1, 1e9, "Infinity", "NaN", "fast", None])
def test_a_factor_no_clock_should_run_at_is_refused(
    client: TestClient, clock: VirtualClock, factor: object
) -> None:
    answer = client.put("/clock", json={"factor": factor})

    assert answer.status_code == 422
    assert clock.factor == 60


def test_real_time_has_one_speed(agents: FakeAgents) -> None:
    client = TestClient(APIServer(agents, agents.memories, clock=SystemClock()).app)

    assert client.get("/clock").json()["data"]["factor"] is None
    assert client.put("/clock", json={"factor": 2}).status_code == 409


def test_without_a_feed_and_a_clock_the_rest_is_served(agents: FakeAgents) -> None:
    client = TestClient(APIServer(agents, agents.memories).app)

    assert client.get("/health").status_code == 200
    assert client.get("/events").status_code == 404
    assert client.get("/clock").status_code == 404
