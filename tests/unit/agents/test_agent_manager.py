"""The cast of an engine with a database: who is there, and what happens to whom."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.fakes import FakeFeed, FakeNetwork, ScriptedLLM
from tests.lent_storages import LendStorage
from tests.unit.agents.conftest import ADA
from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.core.agent_locks import LocalAgentLocks
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import (
    AgentExistsError,
    AgentNotFoundError,
    BudgetExceededError,
    ConfigurationError,
    NetworkRefusedError,
    NetworkUnavailableError,
    StorageError,
)
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import Event, EventDraft, TurnOutcome
from puppet_engine.core.settings import Settings
from puppet_engine.events.engine import EventEngine
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.outbox.budget import Budget
from puppet_engine.storage.answers import StoredAnswers
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Engine:
    """All of an engine but its world, over one storage; a new one is a new process."""

    def __init__(self, storage: Storage, feed: FakeFeed, /, **more: Any) -> None:
        self.clock = feed.clock
        self.events = StoredEvents(storage)
        self.engine = EventEngine(store=self.events, clock=self.clock)
        self.memory = SQLiteStore(Settings(), storage=storage, clock=self.clock)

        async def open_account(agent: Agent) -> SocialNetwork:
            return FakeNetwork(feed, agent.handle)

        config: Any = {
            "memory_store": self.memory,
            "default_llm_provider": ScriptedLLM(*(f"thought {n}" for n in range(99))),
            "event_engine": self.engine,
            "storage": StoredLedger(storage),
            "clock": self.clock,
            "open_account": open_account,
        }
        config.update(more)
        self.manager = AgentManager(config)


@pytest.fixture
async def storage(lend_storage: LendStorage, clock: VirtualClock) -> Storage:
    return await lend_storage(clock=clock)


async def test_a_guest_is_there_again_after_a_restart(storage: Storage, feed: FakeFeed) -> None:
    before = Engine(storage, feed)
    await before.manager.start_agents()
    await before.manager.create_agent(ADA)

    after = Engine(storage, feed)
    await after.manager.revive_guests()
    await after.manager.start_agents()
    await after.engine.run_until(START + HOUR)

    assert after.manager.get_agent("ada").is_active
    assert len(feed.posts) == 1


async def test_what_is_to_happen_to_an_absent_agent_waits_for_it(
    storage: Storage, feed: FakeFeed
) -> None:
    before = Engine(storage, feed)
    await before.manager.create_agent(ADA)
    waiting = await before.events.pending()

    without = Engine(storage, feed)
    await without.manager.start_agents()
    await without.engine.run_until(START + HOUR)
    assert await without.events.pending() == waiting

    await without.manager.create_agent(ADA)
    await without.engine.run_until(START + 2 * HOUR)
    assert len(feed.posts) == 1


async def test_a_process_takes_agents_up_while_others_are_in_their_turns(
    storage: Storage, feed: FakeFeed
) -> None:
    locks = LocalAgentLocks()

    async with locks.hold("ada"):
        created = await Engine(storage, feed, locks=locks).manager.create_agent(ADA)

    assert created == "ada"


async def test_a_turn_that_was_given_up_leaves_no_answer_behind(
    storage: Storage, feed: FakeFeed
) -> None:
    class Hopeless(StoredLedger):
        @override
        async def commit(
            self, agent_id: str, event: Event | None, outcome: TurnOutcome, *, error: str = ""
        ) -> list[Event]:
            if outcome.intents:
                raise StorageError("the disk is full")
            return await super().commit(agent_id, event, outcome, error=error)

    answers = StoredAnswers(storage)
    life = Engine(storage, feed, answers=answers, storage=Hopeless(storage))
    await life.manager.create_agent(ADA)
    await life.manager.start_agents()
    (post,) = [event for event in await life.events.pending() if event.type == "post.due"]

    async def kept() -> int:
        count = select(func.count()).select_from(storage.model("ModelAnswer"))
        return await storage.read(lambda session: session.scalar(count)) or 0

    await life.engine.run_until(post.due_at)
    assert await kept() == 1
    await life.engine.run_until(post.due_at + HOUR)
    assert (await life.engine.dead_letters())[0].event.id == post.id
    assert await kept() == 0


async def test_nobody_is_asked_again_for_a_turn_that_another_process_took_meanwhile(
    storage: Storage, feed: FakeFeed
) -> None:
    class TakenMeanwhile(LocalAgentLocks):
        """Lets who waits for an agent have it when another process has taken its post."""

        are_shared = True

        @override
        @contextlib.asynccontextmanager
        async def hold(self, agent_id: str) -> AsyncGenerator[None]:
            async with super().hold(agent_id):
                for event in await StoredEvents(storage).pending():
                    if event.type == "post.due" and event.due_at <= feed.clock.now():
                        await StoredLedger(storage).commit(agent_id, event, TurnOutcome())
                yield

    asked = ScriptedLLM("thought")
    life = Engine(storage, feed, locks=TakenMeanwhile(), default_llm_provider=asked)
    await life.manager.create_agent(ADA)
    await life.manager.start_agents()
    (post,) = [event for event in await life.events.pending() if event.type == "post.due"]

    await life.engine.run_until(post.due_at + HOUR)

    assert post.id not in [event.id for event in await life.events.pending()]
    assert asked.requests == []
    assert feed.posts == {}


async def test_an_id_that_is_taken_is_refused(storage: Storage, feed: FakeFeed) -> None:
    manager = Engine(storage, feed).manager
    await manager.create_agent(ADA)

    with pytest.raises(AgentExistsError, match="'ada'"):
        await manager.create_agent(ADA)


async def test_a_handle_that_is_taken_is_refused(storage: Storage, feed: FakeFeed) -> None:
    manager = Engine(storage, feed).manager
    await manager.create_agent(ADA)

    with pytest.raises(AgentExistsError, match="called @ada exists already; choose another hand"):
        await manager.create_agent({**ADA, "id": "impostor", "handle": "ADA"})

    assert list(manager.agents) == ["ada"]


async def test_a_configuration_that_is_none_is_refused_without_showing_a_key(
    storage: Storage, feed: FakeFeed
) -> None:
    manager = Engine(storage, feed).manager
    wrong = {**ADA, "naem": "x", "solana_integration": {"private_key": ["hunter2"]}}

    with pytest.raises(ConfigurationError, match="naem") as caught:
        await manager.create_agent(wrong)

    assert "hunter2" not in str(caught.value)
    assert manager.agents == {}


async def test_an_unknown_agent_is_named_with_those_there_are(
    storage: Storage, feed: FakeFeed
) -> None:
    manager = Engine(storage, feed).manager
    await manager.create_agent(ADA)

    with pytest.raises(AgentNotFoundError, match="no agent 'eve'; there are: ada"):
        await manager.trigger_post("eve")
    with pytest.raises(AgentNotFoundError):
        await manager.add_memory("eve", "x")


async def test_a_triggered_post_is_public_and_remembered_when_it_returns(
    storage: Storage, feed: FakeFeed
) -> None:
    engine = Engine(storage, feed)
    await engine.manager.create_agent(ADA)

    post_id = await engine.manager.trigger_post("ada", {"topic": "tea"})

    assert feed.posts[post_id].text == "thought 0"
    newest = (await engine.manager.get_memories("ada", limit=1))[0]
    assert newest.content == "I posted: thought 0"
    assert newest.metadata["post_id"] == post_id


class Moody(FakeNetwork):
    """Fails as often as it is told, before or after it has published."""

    def __init__(self, feed: FakeFeed, handle: str, failures: list[Exception]) -> None:
        super().__init__(feed, handle)
        self.failures = failures
        self.publishes_first = True

    @override
    async def publish(
        self, text: str, *, in_reply_to: PostId | None = None, idempotency_key: str | None = None
    ) -> PostId:
        if self.failures and not self.publishes_first:
            raise self.failures.pop()
        post_id = await super().publish(text, in_reply_to=in_reply_to)
        if self.failures:
            raise self.failures.pop()
        return post_id


async def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(
    storage: Storage, feed: FakeFeed
) -> None:
    network = Moody(feed, "ada", [NetworkUnavailableError("the cable is out")])

    async def open_account(agent: Agent) -> SocialNetwork:
        return network

    engine = Engine(storage, feed, open_account=open_account)
    await engine.manager.create_agent(ADA)

    with pytest.raises(NetworkUnavailableError):
        await engine.manager.trigger_post("ada")
    await engine.engine.run_until(START + timedelta(minutes=1))

    assert [post.text for post in feed.posts.values()] == ["thought 0"]
    contents = [memory.content for memory in await engine.manager.get_memories("ada")]
    assert contents.count("I posted: thought 0") == 1


async def test_a_network_that_fails_as_nobody_foresaw_does_not_make_an_agent_post_twice(
    storage: Storage, feed: FakeFeed
) -> None:
    network = Moody(feed, "ada", [KeyError("an answer without an id")])

    async def open_account(agent: Agent) -> SocialNetwork:
        return network

    engine = Engine(storage, feed, open_account=open_account)
    await engine.manager.create_agent(ADA)

    await engine.engine.run_until(START + timedelta(minutes=30))

    assert [post.text for post in feed.posts.values()] == ["@bob thought 0"]
    contents = [memory.content for memory in await engine.manager.get_memories("ada")]
    assert contents.count("I posted: @bob thought 0") == 1


async def test_an_old_refusal_is_not_taken_for_that_of_a_new_post(
    storage: Storage, feed: FakeFeed
) -> None:
    network = Moody(
        feed, "ada", [NetworkRefusedError("not here"), NetworkUnavailableError("down")]
    )
    network.publishes_first = False

    async def open_account(agent: Agent) -> SocialNetwork:
        return network

    engine = Engine(storage, feed, open_account=open_account)
    await engine.manager.create_agent(ADA)
    with pytest.raises(NetworkUnavailableError):
        await engine.manager.trigger_post("ada")

    post_id = await engine.manager.trigger_post("ada")

    assert [post.text for post in feed.posts.values()] == ["thought 1"]
    assert feed.posts[post_id].text == "thought 1"


async def test_while_the_outcome_of_a_post_is_unknown_no_other_is_written(
    storage: Storage, feed: FakeFeed
) -> None:
    network = Moody(feed, "ada", [NetworkUnavailableError("down")] * 2)
    network.publishes_first = False

    async def open_account(agent: Agent) -> SocialNetwork:
        return network

    engine = Engine(storage, feed, open_account=open_account)
    await engine.manager.create_agent(ADA)
    for _ in range(2):
        with pytest.raises(NetworkUnavailableError):
            await engine.manager.trigger_post("ada")

    await engine.engine.run_until(START + timedelta(minutes=1))

    assert [post.text for post in feed.posts.values()] == ["thought 0"]
    pending = [event.type for event in await engine.events.pending()]
    assert "outbox.due" not in pending


async def test_a_refused_post_leaves_no_memory_and_is_not_tried_again(
    storage: Storage, feed: FakeFeed
) -> None:
    network = Moody(feed, "ada", [NetworkRefusedError("not here")])
    network.publishes_first = False

    async def open_account(agent: Agent) -> SocialNetwork:
        return network

    engine = Engine(storage, feed, open_account=open_account)
    await engine.engine.load()
    await engine.manager.create_agent(ADA)

    with pytest.raises(NetworkRefusedError, match="not here"):
        await engine.manager.trigger_post("ada")
    await engine.engine.run_until(START + timedelta(seconds=50))

    assert feed.posts == {}
    told = [event.type for event in await engine.engine.recent(limit=9)]
    assert told == ["agent.failed"]


class Stuck(FakeNetwork):
    """Does not answer until it is let go."""

    def __init__(self, feed: FakeFeed, handle: str) -> None:
        super().__init__(feed, handle)
        self.asked = asyncio.Event()
        self.may_go = asyncio.Event()

    @override
    async def publish(
        self, text: str, *, in_reply_to: PostId | None = None, idempotency_key: str | None = None
    ) -> PostId:
        self.asked.set()
        await self.may_go.wait()
        return await super().publish(text, in_reply_to=in_reply_to)


async def test_a_network_that_hangs_holds_up_neither_others_nor_the_agents_own_next_turn(
    storage: Storage, feed: FakeFeed
) -> None:
    stuck = Stuck(feed, "ada")

    async def open_account(agent: Agent) -> SocialNetwork:
        return stuck if agent.handle == "ada" else FakeNetwork(feed, agent.handle)

    engine = Engine(storage, feed, open_account=open_account, in_step=False)
    await engine.manager.start_agents()
    await engine.manager.create_agent(ADA)
    await engine.manager.create_agent({**ADA, "id": "bob", "name": "Bob"})
    now = engine.clock.now()
    over: list[Event] = []
    all_over = asyncio.Event()

    async def hear(event: Event) -> None:
        over.append(event)
        if len(over) == 3:
            all_over.set()

    engine.engine.subscribe("post.due", hear)
    for who in ("ada", "ada", "bob"):
        draft = EventDraft(type="post.due", due_at=now, agent_id=who)
        await engine.engine.publish(draft)

    await engine.engine.start()
    await stuck.asked.wait()
    await all_over.wait()
    said_meanwhile = {post.author_handle for post in feed.posts.values()}
    stuck.may_go.set()
    await engine.engine.stop()
    await engine.manager.stop_agents()

    assert said_meanwhile <= {"bob"}
    by_ada = [post for post in feed.posts.values() if post.author_handle == "ada"]
    assert len(by_ada) == 2
    memories = [memory.content for memory in await engine.manager.get_memories("ada")]
    assert sum(content.startswith("I posted") for content in memories) == 2


async def test_what_was_under_way_when_the_process_ended_is_found_at_the_start(
    storage: Storage, feed: FakeFeed
) -> None:
    network = Moody(feed, "ada", [NetworkUnavailableError("the cable is out")])

    async def open_account(agent: Agent) -> SocialNetwork:
        return network

    before = Engine(storage, feed, open_account=open_account)
    await before.manager.create_agent(ADA)
    with pytest.raises(NetworkUnavailableError):
        await before.manager.trigger_post("ada")
    feed.clock.advance(HOUR / 60)  # type: ignore[attr-defined]

    after = Engine(storage, feed, open_account=open_account)
    await after.manager.create_agent(ADA)
    await after.manager.start_agents()

    contents = [memory.content for memory in await after.manager.get_memories("ada")]
    assert contents.count("I posted: thought 0") == 1
    assert len(feed.posts) == 1


async def test_a_budget_that_is_spent_is_told_to_whoever_orders_a_post(
    storage: Storage, feed: FakeFeed
) -> None:
    engine = Engine(storage, feed, budget=Budget(intents=1))
    await engine.manager.create_agent(ADA)
    await engine.manager.trigger_post("ada")

    with pytest.raises(BudgetExceededError, match="fake:ada has done all 1"):
        await engine.manager.trigger_post("ada")

    assert len(feed.posts) == 1
