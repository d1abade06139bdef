"""The page: what it shows without a script, and that it shows nothing but text."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from tests.fake_life import NOON, FakeAgent, FakeAgents, FakeFeed

from puppet_engine.api.server import APIServer
from puppet_engine.core.clock import SystemClock, VirtualClock
from puppet_engine.core.models import AgentConfig, Personality
from puppet_engine.dashboard.routes import Dashboard


@pytest.fixture
def agents() -> FakeAgents:
    alice = AgentConfig(
        id="alice", name="Alice Ames", handle="alice", personality=Personality(traits=["curious"])
    )
    return FakeAgents(agents={"alice": FakeAgent(alice)})


@pytest.fixture
def feed() -> FakeFeed:
    return FakeFeed(closed=True)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON, factor=60)


@pytest.fixture
def client(agents: FakeAgents, feed: FakeFeed, clock: VirtualClock) -> Iterator[TestClient]:
    server = APIServer(agents, agents.memories, feed=feed, clock=clock)
    Dashboard(agents=agents, feed=feed, clock=clock).install(server.app)
    with TestClient(server.app) as client:
        yield client


def test_the_page_shows_posts_without_a_script(client: TestClient, feed: FakeFeed) -> None:
    feed.say("1", "good morning")

    page = client.get("/")

    assert page.status_code == 200
    assert "good morning" in page.text
    assert 'id="post-1"' in page.text


def test_a_post_that_holds_markup_is_shown_as_text(client: TestClient, feed: FakeFeed) -> None:
    feed.say("1", '<script>alert(1)</script> @bob"><img src=x onerror=alert(1)>')

    page = client.get("/").text

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("field", ["handle", "name", "post_id", "in_reply_to", "reply_to_handle"])
def test_no_field_of_a_post_is_taken_for_markup(
    client: TestClient, feed: FakeFeed, field: str
) -> None:
    payload = dict.fromkeys(("handle", "name", "post_id", "text", "in_reply_to"), "x")
    feed.happen("post.published", **payload | {field: '"><b onclick=evil>'})

    page = client.get("/").text

    assert "<b onclick" not in page


def test_an_answer_stands_under_what_it_answers(client: TestClient, feed: FakeFeed) -> None:
    feed.say("1", "who is there?")
    feed.say("2", "something else")
    feed.say("3", "me!", to="1")

    page = client.get("/").text

    assert page.index("who is there?") < page.index("me!") < page.index("something else")
    assert 'data-under="post-1"' in page


def test_the_page_introduces_the_cast_with_what_each_remembered_last(
    client: TestClient, agents: FakeAgents
) -> None:
    client.post("/memory/alice", json={"content": "an old thing", "type": "core"})
    client.post("/memory/alice", json={"content": "tea with Bob", "type": "core"})

    page = client.get("/").text

    assert "Alice Ames" in page
    assert "curious" in page
    assert "tea with Bob" in page
    assert "an old thing" not in page


def test_the_page_may_run_and_load_nothing_but_its_own_files(client: TestClient) -> None:
    page = client.get("/")

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in page.text
    assert " onclick" not in page.text
    for path in ("/static/dashboard.js", "/static/dashboard.css", "/static/icon.svg"):
        assert path in page.text
        assert client.get(path).status_code == 200


def test_the_clock_is_set_by_a_form_that_needs_no_script(
    client: TestClient, clock: VirtualClock
) -> None:
    answer = client.post("/dashboard/clock", data={"factor": "600"})

    assert clock.factor == 600
    assert answer.history[0].status_code == 303
    assert "600\N{MULTIPLICATION SIGN} real time" in answer.text


@pytest.mark.parametrize("factor", ["", "0", "-1", "inf", "nan", "fast", "1e9"])
def test_a_factor_that_no_clock_can_run_at_is_refused(
    client: TestClient, clock: VirtualClock, factor: str
) -> None:
    answer = client.post("/dashboard/clock", data={"factor": factor})

    assert answer.status_code == 422
    assert clock.factor == 60


def test_real_time_is_shown_without_a_form(agents: FakeAgents, feed: FakeFeed) -> None:
    server = APIServer(agents, agents.memories)
    Dashboard(agents=agents, feed=feed, clock=SystemClock()).install(server.app)
    client = TestClient(server.app)

    page = client.get("/").text

    assert "real time" in page
    assert "<form" not in page
    assert client.post("/dashboard/clock", data={"factor": "2"}).status_code == 409


def test_an_event_that_cannot_be_read_does_not_take_the_page_away(
    client: TestClient, feed: FakeFeed, caplog: pytest.LogCaptureFixture
) -> None:
    feed.happen("post.published", post_id=7)
    feed.say("1", "still here")

    page = client.get("/")

    assert "still here" in page.text
    assert "cannot be shown: see post_id, name, text" in caplog.text


def test_trades_and_failures_are_told_in_the_timeline(client: TestClient, feed: FakeFeed) -> None:
    feed.happen("trade.executed", handle="alice", text="bought 2 SOL of BONK")
    feed.happen("agent.failed", event="agent.wake", error="the model is out of reach")

    page = client.get("/").text

    assert "bought 2 SOL of BONK" in page
    assert "the model is out of reach" in page


def test_a_dialogue_without_end_is_still_a_page(client: TestClient, feed: FakeFeed) -> None:
    feed.say("0", "a word")
    for number in range(1, 900):
        feed.say(str(number), f"word {number}", to=str(number - 1))

    page = client.get("/")

    assert page.status_code == 200
    assert "word 899" in page.text
