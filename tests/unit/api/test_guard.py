"""Strangers' pages, shown by a browser on this machine, can neither read nor change anything."""

import pytest
from starlette.testclient import TestClient
from tests.fake_life import FakeAgents

from puppet_engine.api.server import APIServer


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8700", "127.0.0.1:8700", "127.5.0.1", "[::1]:8700", "LOCALHOST:80"],
)
def test_loopback_is_served(client: TestClient, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8700",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "192.168.1.4:8700",
        "0.0.0.0:8700",
        "[::1",
        "",
    ],
)
def test_a_name_that_is_not_ours_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/agents", headers={"Host": host})

    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "ForeignHost"


def test_a_name_can_be_allowed(agents: FakeAgents) -> None:
    server = APIServer(agents, agents.memories, allowed_hosts=["Puppets.example"])

    answer = TestClient(server.app).get("/health", headers={"Host": "puppets.example:443"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Origin": "http://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_foreign_page_changes_nothing(
    client: TestClient, agents: FakeAgents, headers: dict[str, str]
) -> None:
    body = {"id": "mallory", "name": "Mallory"}

    answer = client.post("/agents", json=body, headers={"Host": "localhost:8700"} | headers)

    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "ForeignOrigin"
    assert "mallory" not in agents.agents


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://localhost:8700"}])
def test_our_own_page_and_programs_may_change_things(
    client: TestClient, headers: dict[str, str]
) -> None:
    body = {"id": "bob", "name": "Bob"}

    answer = client.post("/agents", json=body, headers={"Host": "localhost:8700"} | headers)

    assert answer.status_code == 201


def test_no_page_of_the_framework_loads_a_script_from_strangers(client: TestClient) -> None:
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
    assert client.get("/openapi.json").status_code == 200
