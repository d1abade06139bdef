"""An idle agent costs only rows: it comes when something is due to it, and leaves again."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes import FakeFeed, FakeNetwork, ScriptedLLM
from tests.lent_storages import LendStorage
from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.agents.arrivals import REVIVED
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import (
    AgentExistsError,
    AgentNotFoundError,
    ConfigurationError,
    NetworkUnavailableError,
)
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import AgentConfig
from puppet_engine.core.settings import Settings
from puppet_engine.events.engine import EventEngine
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Closing(FakeNetwork):
    """Tells how many of its like are open."""

    def __init__(self, feed: FakeFeed, handle: str, now_open: set[str]) -> None:
        super().__init__(feed, handle)
        self.now_open = now_open
        self.now_open.add(handle)
        self.key = handle

    @override
    async def aclose(self) -> None:
        self.now_open.remove(self.key)


class Place:
    """A manager with room for few; a new one over the same storage is a new process."""

    def __init__(self, storage: Storage, feed: FakeFeed, *, room: int = 3, **more: Any) -> None:
        self.open: set[str] = set()
        self.most_open = 0
        self.storage = storage
        self.events = StoredEvents(storage)
        self.engine = EventEngine(store=self.events, clock=feed.clock)

        async def open_account(agent: Agent) -> SocialNetwork:
            account = Closing(feed, agent.handle, self.open)
            self.most_open = max(self.most_open, len(self.open))
            return account

        self.manager = AgentManager(
            {
                "memory_store": SQLiteStore(Settings(), storage=storage, clock=feed.clock),
                "default_llm_provider": ScriptedLLM(*(f"thought {n}" for n in range(99))),
                "event_engine": self.engine,
                "storage": StoredLedger(storage),
                "clock": feed.clock,
                "open_account": more.get("open_account", open_account),
                "resident_agents": room,
            }
        )


def somebody(number: int) -> AgentConfig:
    return AgentConfig(id=f"agent-{number}", name=f"Agent {number}")


@pytest.fixture
async def storage(lend_storage: LendStorage, clock: VirtualClock) -> Storage:
    return await lend_storage(clock=clock)


async def test_a_multitude_is_rows_until_something_is_due(
    storage: Storage, feed: FakeFeed
) -> None:
    place = Place(storage, feed)

    created = await place.manager.create_agents(somebody(n) for n in range(20))

    assert (created, place.manager.agents, place.open) == (20, {}, set())
    pending = [event.type for event in await place.events.pending()]
    daily = ["mentions.due", "post.due", "reflection.due"]
    assert sorted(pending) == sorted(daily * 20)


async def test_each_comes_to_say_its_word_and_leaves_again(
    storage: Storage, feed: FakeFeed
) -> None:
    place = Place(storage, feed, room=3)
    await place.manager.create_agents(somebody(n) for n in range(20))
    await place.manager.start_agents()

    await place.engine.run_until(START + HOUR)

    assert {post.author_handle for post in feed.posts.values()} == {
        f"agent_{n}" for n in range(20)
    }
    assert len(place.manager.agents) == 3
    assert len(place.open) <= 3
    assert place.most_open <= 4
    await place.manager.close()
    assert place.open == set()


async def test_a_multitude_lives_on_after_a_restart(storage: Storage, feed: FakeFeed) -> None:
    before = Place(storage, feed)
    await before.manager.create_agents(somebody(n) for n in range(10))

    after = Place(storage, feed)
    await after.manager.revive_guests()
    await after.manager.start_agents()
    await after.engine.run_until(START + HOUR)

    assert len(after.manager.agents) == 3
    assert len(feed.posts) == 10


async def test_an_idle_agent_can_be_spoken_to(storage: Storage, feed: FakeFeed) -> None:
    place = Place(storage, feed)
    await place.manager.create_agents(somebody(n) for n in range(10))

    post_id = await place.manager.trigger_post("agent-7")
    memory_id = await place.manager.add_memory("agent-8", "a word in passing")

    assert feed.posts[post_id].author_handle == "agent_7"
    (memory,) = await place.manager.get_memories("agent-8")
    assert memory.id == memory_id
    assert (await place.manager.find_agent("agent-9")).name == "Agent 9"
    with pytest.raises(AgentNotFoundError):
        await place.manager.find_agent("agent-10")


async def test_an_agent_with_a_file_never_leaves(storage: Storage, feed: FakeFeed) -> None:
    place = Place(storage, feed, room=1)
    await place.manager.create_agent(somebody(99))
    await place.manager.create_agents(somebody(n) for n in range(5))
    await place.manager.start_agents()

    await place.engine.run_until(START + HOUR)

    assert "agent-99" in place.manager.agents
    assert len(place.manager.agents) == 2


async def test_ids_and_handles_are_taken_also_by_those_who_are_not_in_memory(
    storage: Storage, feed: FakeFeed
) -> None:
    place = Place(storage, feed)
    await place.manager.create_agents(somebody(n) for n in range(3))

    with pytest.raises(AgentExistsError, match="'agent-1'"):
        await place.manager.create_agents([somebody(7), somebody(1)])
    with pytest.raises(AgentExistsError, match="called @agent_2"):
        await place.manager.create_agents([AgentConfig(id="x", name="X", handle="Agent_2")])
    with pytest.raises(AgentExistsError, match="called @agent_2"):
        await place.manager.create_agent(AgentConfig(id="x", name="X", handle="agent_2"))
    with pytest.raises(AgentExistsError, match="'agent-8'"):
        await place.manager.create_agents([somebody(8), somebody(8)])
    with pytest.raises(AgentNotFoundError):  # of a refused group nobody is kept
        await place.manager.find_agent("agent-7")


async def test_what_an_idle_agent_left_half_done_is_finished_at_the_next_start(
    storage: Storage, feed: FakeFeed, clock: VirtualClock
) -> None:
    class Mute(FakeNetwork):
        @override
        async def publish(
            self,
            text: str,
            *,
            in_reply_to: PostId | None = None,
            idempotency_key: str | None = None,
        ) -> PostId:
            await super().publish(text, in_reply_to=in_reply_to)
            raise NetworkUnavailableError("the cable is out")

    async def open_mute(agent: Agent) -> SocialNetwork:
        return Mute(feed, agent.handle)

    before = Place(storage, feed, open_account=open_mute)
    await before.manager.create_agents([somebody(1)])
    with pytest.raises(NetworkUnavailableError):
        await before.manager.trigger_post("agent-1")

    # What became of it is looked up a while after the attempt.
    clock.advance(HOUR)
    after = Place(storage, feed)
    await after.manager.start_agents()

    contents = [memory.content for memory in await after.manager.get_memories("agent-1")]
    assert contents == ["I posted: thought 0"]
    assert len(feed.posts) == 1


async def test_two_who_call_the_same_idle_agent_meet_the_same(
    storage: Storage, feed: FakeFeed
) -> None:
    place = Place(storage, feed)
    await place.manager.create_agents([somebody(1)])

    found = await asyncio.gather(*(place.manager.find_agent("agent-1") for _ in range(5)))

    assert len({id(agent) for agent in found}) == 1


async def test_a_multitude_may_begin_over_a_span_each_at_its_own_moment(
    storage: Storage, feed: FakeFeed
) -> None:
    place = Place(storage, feed)
    week = timedelta(days=7)

    await place.manager.create_agents((somebody(n) for n in range(50)), over=week)

    first = [event.due_at for event in await place.events.pending() if event.type == "post.due"]
    assert len(set(first)) == 50
    assert min(first) >= START
    assert timedelta(days=5) < max(first) - min(first) < week + HOUR
    with pytest.raises(ConfigurationError, match="a span ahead"):
        await place.manager.create_agents([somebody(99)], over=-week)


async def test_those_of_earlier_days_are_seen_at_the_start_and_nothing_is_opened_for_them(
    storage: Storage, feed: FakeFeed
) -> None:
    before = Place(storage, feed, room=200)
    await before.manager.create_agents(somebody(n) for n in range(120))
    pending = await before.events.pending()

    after = Place(storage, feed, room=200)
    await after.manager.revive_guests()
    await after.manager.start_agents()

    assert len(after.manager.agents) == REVIVED
    assert all(agent.is_active for agent in after.manager.agents.values())
    assert after.open == set()
    assert await after.events.pending() == pending
