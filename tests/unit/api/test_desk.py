"""What operators ask of the events over HTTP."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from tests.fake_life import FakeAgents

from puppet_engine.api.server import APIServer
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.models import EventDraft, EventTemplate
from puppet_engine.core.schedules import Recurrence
from puppet_engine.events.engine import EventEngine
from puppet_engine.events.memory_store import InMemoryEventStore

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def store(clock: VirtualClock) -> InMemoryEventStore:
    return InMemoryEventStore(clock=clock)


@pytest.fixture
def engine(store: InMemoryEventStore, clock: VirtualClock) -> EventEngine:
    return EventEngine(store=store, clock=clock)


@pytest.fixture
async def client(engine: EventEngine) -> AsyncGenerator[httpx2.AsyncClient]:
    agents = FakeAgents()
    app = APIServer(agents, agents.memories, desk=engine).app
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_history_is_read_in_pages_and_by_agent(
    client: httpx2.AsyncClient, engine: EventEngine
) -> None:
    drafts = [EventDraft(type="noted", due_at=START, agent_id=a) for a in ("ada", "bob", "ada")]
    events = await engine.publish(*drafts)
    await engine.run_until(START)

    page = (await client.get("/events/history", params={"limit": 2})).json()["data"]["records"]
    rest = (await client.get("/events/history", params={"before": page[-1]["settled_as"]})).json()
    of_bob = (await client.get("/events/history?agent_id=bob&type=noted")).json()

    assert len(page) == 2
    assert len(rest["data"]["records"]) == 1
    assert [r["event"]["id"] for r in of_bob["data"]["records"]] == [events[1].id]
    assert page[0]["fate"] == "done"


async def test_what_was_pending_at_a_moment_is_told_with_what_came_of_it(
    client: httpx2.AsyncClient, engine: EventEngine
) -> None:
    await engine.publish(EventDraft(type="noted", due_at=START + HOUR))
    await engine.run_until(START + 2 * HOUR)

    answer = await client.get("/events/as-of", params={"moment": START.isoformat()})
    later = await client.get("/events/as-of", params={"moment": (START + 2 * HOUR).isoformat()})

    assert [r["fate"] for r in answer.json()["data"]["records"]] == ["done"]
    assert later.json()["data"]["records"] == []


async def test_a_dead_letter_is_listed_and_replayed_once(
    client: httpx2.AsyncClient, engine: EventEngine, store: InMemoryEventStore
) -> None:
    (event,) = await store.append([EventDraft(type="noted", due_at=START)])
    await store.settle(event, error="ValueError: no luck")

    listed = (await client.get("/events/dead-letters")).json()["data"]["records"]
    replayed = await client.post(f"/events/dead-letters/{event.id}/replay")
    again = await client.post(f"/events/dead-letters/{event.id}/replay")
    await engine.run_until(START)

    assert [(r["event"]["id"], r["error"]) for r in listed] == [(event.id, "ValueError: no luck")]
    new_id = replayed.json()["data"]["event"]["id"]
    assert new_id in {e.id for e in await engine.recent(limit=9)}
    assert again.status_code == 404
    assert again.json()["error"]["type"] == "EventNotFoundError"


async def test_a_schedule_is_listed_and_ended(
    client: httpx2.AsyncClient, engine: EventEngine
) -> None:
    rule = Recurrence(cron="0 9 * * 1-5", timezone="Europe/Vienna")
    schedule = await engine.schedule_every(rule, EventTemplate(type="chime"))

    listed = (await client.get("/events/schedules")).json()["data"]["schedules"]
    ended = await client.delete(f"/events/{schedule.id}")
    again = await client.delete(f"/events/{schedule.id}")

    assert [(s["id"], s["recurrence"]["cron"]) for s in listed] == [(schedule.id, "0 9 * * 1-5")]
    assert ended.json()["data"] == {"cancelled": schedule.id}
    assert again.status_code == 404
    assert await engine.schedules() == []
