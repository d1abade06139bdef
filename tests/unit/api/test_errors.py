"""Every error has an answer, in one envelope, that gives nothing away."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient
from tests.fake_life import FakeAgents

from puppet_engine.api.errors import status_of
from puppet_engine.core import errors
from puppet_engine.core.errors import PuppetEngineError

RAISED = [
    (errors.ConfigurationError("bad"), 422),
    (errors.PersonaError(["a.json:1:1: bad"]), 422),
    (errors.MissingCredentialError("X", ["KEY"]), 503),
    (errors.NotRunningError("the engine", "start it"), 503),
    (errors.LLMUnavailableError("busy"), 503),
    (errors.LLMRefusedError("no"), 502),
    (errors.NetworkRefusedError("duplicate"), 502),
    (errors.NetworkUnavailableError("silence"), 504),
    (errors.ChainUnavailableError("silence"), 504),
    (errors.TradingDisabledError("off"), 409),
    (errors.LimitExceededError("too much"), 409),
    (errors.NothingToDoError("alice", "a trade"), 409),
    (errors.StorageError("the database is locked"), 503),
    (errors.SuspectOrderError("another mint"), 502),
]


@pytest.mark.parametrize(("error", "status"), RAISED, ids=lambda value: type(value).__name__)
def test_an_error_of_the_engine_is_told_by_name(
    client: TestClient, agents: FakeAgents, error: PuppetEngineError, status: int
) -> None:
    agents.failure = error

    answer = client.post("/agents/alice/posts")

    assert answer.status_code == status
    told = {"type": type(error).__name__, "message": str(error)}
    assert answer.json() == {"status": "error", "error": told}


def test_a_rate_limit_says_when_to_come_again(client: TestClient, agents: FakeAgents) -> None:
    agents.failure = errors.RateLimitedError("x", resets_at=datetime(2026, 3, 3, 12, tzinfo=UTC))

    answer = client.post("/agents/alice/posts")

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "Tue, 03 Mar 2026 12:00:00 GMT"


def _leaves(kind: type[PuppetEngineError]) -> Iterator[type[PuppetEngineError]]:
    own = [each for each in kind.__subclasses__() if each.__module__ == errors.__name__]
    for each in own:
        yield from _leaves(each)
    if not own:
        yield kind


@pytest.mark.parametrize("kind", list(_leaves(PuppetEngineError)))
def test_no_error_of_the_engine_is_taken_for_a_bug(kind: type[PuppetEngineError]) -> None:
    assert status_of(kind.__new__(kind)) != 500


def test_a_bug_is_logged_and_not_told(
    client: TestClient, agents: FakeAgents, caplog: pytest.LogCaptureFixture
) -> None:
    agents.failure = RuntimeError("password is hunter2")

    answer = client.post("/agents/alice/posts")

    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "InternalServerError"
    assert "hunter2" not in answer.text
    assert "POST /agents/alice/posts failed" in caplog.text
    assert "hunter2" in caplog.text


def test_a_broken_body_is_told_where_it_is_broken(client: TestClient) -> None:
    answer = client.post("/memory/alice", json={"content": "x", "type": "wrong", "extra": 1})

    error = answer.json()["error"]
    assert answer.status_code == 422
    assert error["type"] == "ValidationError"
    assert [each["at"] for each in error["details"]] == [["body", "type"], ["body", "extra"]]


@pytest.mark.parametrize(
    "wallet",
    [
        {"private_key": ["hunter2"]},
        {"private_key": "hunter2", "trading_enabled": "hunter2"},
        {"private_kee": "hunter2"},
        "hunter2",
    ],
)
def test_a_key_is_not_echoed_when_the_body_is_broken(client: TestClient, wallet: object) -> None:
    body = {"id": "bob", "name": "Bob", "solana_integration": wallet}

    answer = client.post("/agents", json=body)

    assert answer.status_code == 422
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/health", 405)]
)
def test_what_is_not_there_is_told_in_the_same_envelope(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.json()["status"] == "error"
    assert path in answer.json()["error"]["message"]


@pytest.mark.parametrize("content", ["", "x" * 20_001])
def test_a_memory_is_neither_empty_nor_a_book(
    client: TestClient, agents: FakeAgents, content: str
) -> None:
    answer = client.post("/memory/alice", json={"content": content})

    assert answer.status_code == 422
    assert agents.memories.kept == []
