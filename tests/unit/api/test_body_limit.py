"""Nobody can fill the memory of the server with a request."""

from collections.abc import Iterator

from starlette.testclient import TestClient
from tests.fake_life import FakeAgents

from puppet_engine.api.body_limit import MOST_BYTES


def pieces(count: int) -> Iterator[bytes]:
    """Give a body of `count` bytes whose length no header tells."""
    yield b'{"id": "' + b"a" * (count - 8)


def test_a_body_longer_than_the_limit_is_refused(client: TestClient, agents: FakeAgents) -> None:
    answer = client.post("/agents", content=pieces(MOST_BYTES + 1))

    assert answer.status_code == 413
    assert "longer than 1,048,576 bytes" in answer.json()["error"]["message"]
    assert set(agents.agents) == {"alice"}


def test_a_body_within_the_limit_is_read_to_its_end(client: TestClient) -> None:
    answer = client.post("/agents", content=pieces(MOST_BYTES))

    assert answer.status_code == 422
    assert answer.json()["error"]["type"] == "ValidationError"
