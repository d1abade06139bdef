"""Why a post: what the API tells, and the page that one comes to from it."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from tests.fake_life import NOON, FakeAgent, FakeAgents, FakeFeed
from typing_extensions import override

from puppet_engine.api.dependencies import DecisionBook
from puppet_engine.api.server import APIServer
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.decisions import Act, Recalled, StoredDecision
from puppet_engine.core.errors import DecisionNotFoundError
from puppet_engine.core.ids import MemoryId
from puppet_engine.core.models import AgentConfig
from puppet_engine.core.moods import MoodState
from puppet_engine.core.relationships import Reason, Relationship
from puppet_engine.dashboard.routes import Dashboard

DECISION = StoredDecision(
    number=4,
    agent_id="alice",
    event_id="e1",
    at=NOON,
    occasion="mention.received",
    acts=(Act.REPLY,),
    why="chance chose among what it does",
    mood=MoodState(valence=0.5, arousal=-0.25, as_of=NOON),
    mood_name="mellow",
    relationship=Relationship(
        handle="bob", affinity=0.5, as_of=NOON, reasons=(Reason(at=NOON, what="they were kind"),)
    ),
    chances={Act.REPLY: 0.75},
    memories=(Recalled(id=MemoryId("m-1"), content="I know <b>Bob</b>"),),
    prompt="## Task\nAnswer <script>",
    drafts=({"text": "Hello <i>Bob</i>", "findings": ["too short"], "score": 1},),
)


class FakeDecisions(DecisionBook):
    """One decision, that led to post 1."""

    @override
    async def of_agent(
        self, agent_id: str, /, *, before: int | None, limit: int
    ) -> list[StoredDecision]:
        return [DECISION] if before is None and agent_id == "alice" else []

    @override
    async def why(self, of: str, /) -> StoredDecision:
        if of != "1":
            raise DecisionNotFoundError(of)
        return DECISION


@pytest.fixture
def feed() -> FakeFeed:
    return FakeFeed(closed=True)


@pytest.fixture
def client(feed: FakeFeed) -> Iterator[TestClient]:
    alice = AgentConfig(id="alice", name="Alice Ames", handle="alice")
    agents = FakeAgents(agents={"alice": FakeAgent(alice)})
    decisions, clock = FakeDecisions(), VirtualClock(NOON)
    server = APIServer(agents, agents.memories, feed=feed, clock=clock, decisions=decisions)
    page = Dashboard(agents=agents, feed=feed, clock=clock, decisions=decisions)
    page.install(server.app)
    with TestClient(server.app) as client:
        yield client


def test_each_post_links_to_why_it_was_made(client: TestClient, feed: FakeFeed) -> None:
    feed.say("1", "good morning")

    assert '<a class="why" href="/why/1"' in client.get("/").text


def test_the_page_tells_mood_people_memories_prompt_and_checks(client: TestClient) -> None:
    page = client.get("/why/1")

    assert page.status_code == 200
    for told in ("Alice Ames", "mellow", "@bob", "they were kind", "m-1", "75 %", "too short"):
        assert told in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_what_the_page_quotes_is_text_and_no_markup(client: TestClient) -> None:
    page = client.get("/why/1").text

    assert "Answer &lt;script&gt;" in page
    for markup in ("<script>", "<b>Bob", "<i>Bob"):
        assert markup not in page


def test_the_api_tells_the_decisions_of_an_agent_and_of_a_post(client: TestClient) -> None:
    listed = client.get("/agents/alice/decisions").json()["data"]["decisions"]
    one = client.get("/decisions/1").json()["data"]["decision"]

    assert listed == [one]
    assert StoredDecision.model_validate(one) == DECISION
    assert client.get("/agents/alice/decisions?before=4").json()["data"]["decisions"] == []


@pytest.mark.parametrize("path", ["/decisions/9", "/why/9", "/agents/nobody/decisions"])
def test_what_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
