"""What the outbox promises of one account, and of many."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes import FakeFeed, FakeMemoryStore
from tests.fickle_network import ACCOUNT, START, FickleNetwork, Mood, Stage
from typing_extensions import override

from puppet_engine.agents.direct_ledger import DirectLedger
from puppet_engine.core.agent_locks import LocalAgentLocks
from puppet_engine.core.breaker import BreakerState
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import (
    BudgetExceededError,
    CircuitOpenError,
    GivenUpError,
    IntentExpiredError,
    PolicyError,
    RateLimitedError,
)
from puppet_engine.core.ids import PostId, seeded_ids
from puppet_engine.core.models import Effect, Intent, IntentDraft, IntentKind, Memory, TurnOutcome
from puppet_engine.networks.capabilities import Capabilities
from puppet_engine.outbox.base import CLEAR_OUTBOX, Carrier, Clearance, Performer
from puppet_engine.outbox.budget import Budget
from puppet_engine.outbox.dispatcher import Outbox
from puppet_engine.outbox.limits import RateCap
from puppet_engine.outbox.patience import Patience
from puppet_engine.outbox.policy import Rulebook

MINUTE = timedelta(minutes=1)

MakeStage = Callable[..., Stage]


@pytest.fixture
def memory(clock: VirtualClock) -> FakeMemoryStore:
    return FakeMemoryStore(clock)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def make_stage(clock: VirtualClock, memory: FakeMemoryStore) -> MakeStage:
    def make(can: Capabilities | None = None, **terms: Any) -> Stage:
        network = FickleNetwork(FakeFeed(clock), can=can or Capabilities())
        ledger = DirectLedger(memory=memory, clock=clock, ids=seeded_ids(1))
        return Stage(ledger, clock, network, **terms)

    return make


async def test_what_is_wanted_goes_out_oldest_first(make_stage: MakeStage) -> None:
    stage = make_stage()
    await stage.want("one", "two")
    await stage.want("three")

    clearance = await stage.outbox.clear(ACCOUNT)

    assert stage.said() == ["one", "two", "three"]
    assert [effect.result for _, effect in clearance.effects] == ["1", "2", "3"]
    assert clearance.held_up is None


async def test_the_same_words_twice_are_two_posts_even_when_an_answer_was_lost(
    make_stage: MakeStage,
) -> None:
    stage = make_stage()
    await stage.want("tea", "tea")
    stage.network.moods = [Mood.FINE, Mood.REQUEST_LOST]

    await stage.outbox.clear(ACCOUNT)
    await stage.until_idle()

    assert stage.said() == ["tea", "tea"]


async def test_a_post_whose_answer_was_lost_is_found_after_a_restart(
    make_stage: MakeStage,
) -> None:
    stage = make_stage()
    await stage.want("tea")
    stage.network.moods = [Mood.REPLY_LOST]
    await stage.outbox.clear(ACCOUNT)

    stage.restart()
    await stage.until_idle()

    assert stage.said() == ["tea"]


async def test_an_unknown_outcome_is_told_once_and_looked_up_before_anything_else(
    make_stage: MakeStage,
) -> None:
    stage = make_stage()
    await stage.want("one", "two")
    stage.network.moods = [Mood.REPLY_LOST, Mood.REQUEST_LOST]

    first = await stage.outbox.clear(ACCOUNT)
    again = await stage.outbox.clear(ACCOUNT, at_once=True)

    assert first.held_up is not None
    assert again.held_up is not None
    assert stage.said() == ["one"]
    assert stage.failures() == ["NetworkUnavailableError: the cable is out"]


async def test_what_waits_is_reminded_of_once_and_no_later_than_it_expires(
    make_stage: MakeStage,
) -> None:
    stage = make_stage()
    await stage.want("tea", expires_after=10 * MINUTE)
    stage.network.moods = [Mood.BUSY]

    await stage.outbox.clear(ACCOUNT)
    await stage.outbox.clear(ACCOUNT)

    (reminder,) = [event for event in stage.told if event.type == "outbox.due"]
    assert reminder.due_at == START + 10 * MINUTE
    assert (reminder.agent_id, reminder.payload) == ("ada", {"account": ACCOUNT})


async def test_what_comes_too_late_is_not_said_and_regretted(
    make_stage: MakeStage, memory: FakeMemoryStore
) -> None:
    stage = make_stage()
    await stage.want("good morning", expires_after=5 * MINUTE)
    stage.clock.advance(5 * MINUTE)

    clearance = await stage.outbox.clear(ACCOUNT)

    assert stage.said() == []
    assert isinstance(clearance.drops[0][1], IntentExpiredError)
    (kept,) = await memory.get_memories("ada")
    assert "I did not say: good morning" in kept.content
    assert "IntentExpiredError" in stage.failures()[0]


async def test_what_comes_too_late_behind_one_that_waits_is_dropped_all_the_same(
    make_stage: MakeStage,
) -> None:
    stage = make_stage()
    await stage.want("one")
    await stage.want("two", expires_after=MINUTE)
    stage.clock.advance(MINUTE)
    stage.network.moods = [Mood.BUSY]

    clearance = await stage.outbox.clear(ACCOUNT)

    assert isinstance(clearance.held_up, RateLimitedError)
    assert [intent.payload["text"] for intent, _ in clearance.drops] == ["two"]


async def test_a_network_that_names_a_moment_is_not_asked_before_it(
    make_stage: MakeStage,
) -> None:
    stage = make_stage()
    await stage.want("tea")
    stage.network.moods = [Mood.BUSY_WITHIN]
    await stage.outbox.clear(ACCOUNT)

    stage.clock.advance(5 * MINUTE - timedelta(seconds=1))
    await stage.outbox.clear(ACCOUNT)
    early = stage.said()
    stage.clock.advance(timedelta(seconds=1))
    await stage.outbox.clear(ACCOUNT)

    assert early == []
    assert stage.said() == ["tea"]


async def test_a_limit_that_the_network_named_outlives_the_process(make_stage: MakeStage) -> None:
    stage = make_stage()
    await stage.want("tea")
    stage.network.moods = [Mood.BUSY]
    await stage.outbox.clear(ACCOUNT)

    stage.restart()
    clearance = await stage.outbox.clear(ACCOUNT, at_once=True)

    assert isinstance(clearance.held_up, RateLimitedError)
    assert clearance.held_up.resets_at == START + 15 * MINUTE
    assert stage.said() == []


async def test_a_rate_cap_holds_over_a_restart(make_stage: MakeStage) -> None:
    stage = make_stage(caps=(RateCap(2, 10 * MINUTE),))
    await stage.want("one", "two", "three")

    await stage.outbox.clear(ACCOUNT)
    stage.restart()
    held = (await stage.outbox.clear(ACCOUNT, at_once=True)).held_up
    stage.clock.advance(5 * MINUTE)
    await stage.outbox.clear(ACCOUNT)

    assert isinstance(held, RateLimitedError)
    assert held.resets_at == START + 5 * MINUTE
    assert stage.said() == ["one", "two", "three"]


async def test_a_budget_holds_over_a_restart_and_ends_with_the_day(make_stage: MakeStage) -> None:
    stage = make_stage(budget=Budget(intents=1))
    await stage.want("one")
    await stage.outbox.clear(ACCOUNT)
    stage.restart()
    await stage.want("two")

    (drop,) = (await stage.outbox.clear(ACCOUNT)).drops
    stage.clock.advance(timedelta(days=1, seconds=1))
    await stage.want("three")
    await stage.outbox.clear(ACCOUNT)

    assert isinstance(drop[1], BudgetExceededError)
    assert stage.said() == ["one", "three"]


async def test_what_costs_more_than_the_budget_is_refused(make_stage: MakeStage) -> None:
    can = Capabilities(post_price=15_000, link_price=200_000)
    stage = make_stage(can, budget=Budget(cost=200_000))
    await stage.want("cheap", "see https://example.org")

    clearance = await stage.outbox.clear(ACCOUNT)

    assert stage.said() == ["cheap"]
    with pytest.raises(BudgetExceededError, match="200000 micro-dollars more"):
        raise clearance.drops[0][1]


async def test_what_a_rule_forbids_never_reaches_the_network(make_stage: MakeStage) -> None:
    stage = make_stage(policy=Rulebook(network="fickle", max_characters=3))
    await stage.want("tea", "coffee")

    clearance = await stage.outbox.clear(ACCOUNT)

    assert stage.said() == ["tea"]
    assert isinstance(clearance.drops[0][1], PolicyError)


async def test_what_fails_too_often_is_given_up_with_the_reason(make_stage: MakeStage) -> None:
    stage = make_stage(patience=Patience(attempts=3))
    await stage.want("tea")
    clearance = Clearance()
    for _ in range(3):
        stage.network.moods = [Mood.REQUEST_LOST]
        await stage.outbox.clear(ACCOUNT, at_once=True)
        # The timeline answers that nothing came of it; then the next attempt is lost, too.
        stage.network.moods = [Mood.FINE, Mood.REQUEST_LOST]
        clearance = await stage.outbox.clear(ACCOUNT, at_once=True)

    (drop,) = clearance.drops
    assert isinstance(drop[1], GivenUpError)
    assert "no route" in str(drop[1])
    assert stage.said() == []


async def test_a_network_that_fails_for_everybody_is_left_alone_until_a_probe_succeeds(
    make_stage: MakeStage,
) -> None:
    stage = make_stage()
    await stage.want("tea")
    stage.network.moods = [Mood.REQUEST_LOST] * 5
    for _ in range(5):
        await stage.outbox.clear(ACCOUNT, at_once=True)
    (opened,) = stage.outbox.networks()

    held = (await stage.outbox.clear(ACCOUNT, at_once=True)).held_up
    stage.clock.advance(MINUTE)
    await stage.outbox.clear(ACCOUNT, at_once=True)

    assert (opened.network, opened.state) == ("fickle", BreakerState.OPEN)
    assert (opened.failures, opened.opens_at) == (5, START + MINUTE)
    assert isinstance(held, CircuitOpenError)
    (closed,) = stage.outbox.networks()
    assert (closed.state, closed.opens_at) == (BreakerState.CLOSED, None)
    assert stage.said() == ["tea"]


async def test_what_nobody_can_carry_out_here_waits_and_is_not_refused(
    make_stage: MakeStage,
) -> None:
    stage = make_stage()
    await stage.want("tea")
    keyless = Outbox(
        intents=stage.intents,
        clock=stage.clock,
        accept=stage.told.extend,
        find=lambda _: nullcontext(),
    )

    held = (await keyless.clear(ACCOUNT)).held_up
    stage.clock.advance(15 * MINUTE)
    await stage.outbox.clear(ACCOUNT)

    assert "MissingCredentialError" in repr(held)
    assert stage.said() == ["tea"]


class Slow(Performer):
    """Waits until it is let go."""

    def __init__(self) -> None:
        self.may_go = asyncio.Event()
        self.begun = asyncio.Event()
        self.under_way = 0
        self.most = 0
        self.times = 0

    @override
    async def prepare(self, intent: Intent) -> dict[str, Any]:
        return {}

    @override
    async def perform(self, intent: Intent) -> Effect:
        self.times += 1
        self.under_way += 1
        self.begun.set()
        self.most = max(self.most, self.under_way)
        await self.may_go.wait()
        self.under_way -= 1
        return self.regret(intent)

    @override
    async def look_up(self, intent: Intent) -> Effect | None:
        return None

    @override
    def regret(self, intent: Intent) -> Effect:
        return Effect(result=PostId("1"), memory=Memory(content="done"), events=())


async def test_accounts_do_not_wait_for_each_other_but_each_does_one_thing_at_a_time(
    clock: VirtualClock, memory: FakeMemoryStore
) -> None:
    ledger = DirectLedger(memory=memory, clock=clock, ids=seeded_ids(1))
    performers = {name: Slow() for name in ("ada", "bob")}
    outbox = Outbox(
        intents=ledger.intents,
        clock=clock,
        accept=lambda _: None,
        find=lambda intent: nullcontext(
            Carrier(performer=performers[intent.agent_id], network="slow")
        ),
    )
    for name in performers:
        draft = IntentDraft(kind=IntentKind.POST, payload={}, account=f"slow:{name}")
        await ledger.commit(name, None, TurnOutcome(intents=(draft, draft)))
        outbox.kick(f"slow:{name}")
        outbox.kick(f"slow:{name}")
    performers["bob"].may_go.set()
    while await ledger.intents.open("slow:bob"):  # noqa: ASYNC110 - the port tells nobody
        await asyncio.sleep(0)

    still_open = await ledger.intents.open("slow:ada")
    performers["ada"].may_go.set()
    await outbox.drain()

    assert len(still_open) == 2
    assert await ledger.intents.waiting() == []
    assert [each.most for each in performers.values()] == [1, 1]


async def test_processes_that_share_their_locks_do_one_thing_at_a_time_and_each_once(
    clock: VirtualClock, memory: FakeMemoryStore
) -> None:
    ledger = DirectLedger(memory=memory, clock=clock, ids=seeded_ids(1))
    locks, performer = LocalAgentLocks(), Slow()
    carrier = Carrier(performer=performer, network="slow")
    here, there = (
        Outbox(
            intents=ledger.intents,
            clock=clock,
            accept=lambda _: None,
            find=lambda _: nullcontext(carrier),
            locks=locks,
        )
        for _ in range(2)
    )
    draft = IntentDraft(kind=IntentKind.POST, payload={}, account="slow:ada")
    await ledger.commit("ada", None, TurnOutcome(intents=(draft,)))

    first = asyncio.create_task(here.clear("slow:ada"))
    await performer.begun.wait()
    second = asyncio.create_task(there.clear("slow:ada"))
    await asyncio.sleep(0)
    performer.may_go.set()
    clearances = await asyncio.gather(first, second)

    assert (performer.most, performer.times) == (1, 1)
    assert [len(clearance.effects) for clearance in clearances] == [1, 0]


async def test_a_reminder_that_another_process_has_taken_is_set_again(
    make_stage: MakeStage,
) -> None:
    stage = make_stage()
    await stage.want("tea")
    stage.network.moods = [Mood.BUSY]
    await stage.outbox.clear(ACCOUNT)
    here = stage.outbox
    stage.clock.advance(20 * MINUTE)
    stage.restart()
    there = stage.outbox
    there.remind(ACCOUNT)
    await there.clear(ACCOUNT)

    await stage.want("coffee")
    stage.network.moods = [Mood.BUSY]
    await here.clear(ACCOUNT)

    due = [event.due_at for event in stage.told if event.type == CLEAR_OUTBOX]
    assert due == [START + 15 * MINUTE, START + 35 * MINUTE]
