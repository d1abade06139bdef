"""Whatever a network does and whenever the process dies: everything once, or with a reason."""

import asyncio
import contextlib
from collections import Counter
from datetime import timedelta

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from tests.fakes import FakeFeed, FakeMemoryStore
from tests.fickle_network import ACCOUNT, START, FickleNetwork, Killed, Mood, Stage
from typing_extensions import override

from puppet_engine.agents.direct_ledger import DirectLedger
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.models import IntentState
from puppet_engine.networks.capabilities import Capabilities
from puppet_engine.outbox.limits import RateCap
from puppet_engine.outbox.memory_intents import InMemoryIntents

OVER = {IntentState.DONE, IntentState.REFUSED, IntentState.EXPIRED}
LAGS = Capabilities(visible_within=timedelta(seconds=30))
KEYED = Capabilities(
    idempotency_keys=True,
    key_lifetime=timedelta(days=30),
    visible_within=timedelta(days=30),
)
"""Its timeline shows nothing at all: only the keys can help."""


class AnyOrder(RuleBasedStateMachine):
    """A life of one account, in any order; what must hold is checked at its end."""

    can = Capabilities()
    refuses_repeats = False

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.clock = VirtualClock(START)
        self.wanted: Counter[str] = Counter()
        self.memory = FakeMemoryStore(self.clock)
        ledger = DirectLedger(memory=self.memory, clock=self.clock, ids=seeded_ids(1))
        network = FickleNetwork(
            FakeFeed(self.clock), can=self.can, refuses_repeats=self.refuses_repeats
        )
        caps = (RateCap(5, timedelta(minutes=10)),)
        self.stage = Stage(ledger, self.clock, network, caps=caps)

    @rule(texts=st.lists(st.sampled_from(["tea", "coffee"]), min_size=1, max_size=3))
    def want(self, texts: list[str]) -> None:
        self.wanted.update(texts)
        self.loop.run(self.stage.want(*texts))

    @rule(moods=st.lists(st.sampled_from(Mood), min_size=1, max_size=4))
    def turn(self, moods: list[Mood]) -> None:
        self.stage.network.moods = moods

    @precondition(lambda self: self.wanted)
    @rule(at_once=st.booleans())
    def clear(self, at_once: bool) -> None:
        self.loop.run(self._clear(at_once=at_once))

    @precondition(lambda self: self.wanted)
    @rule(step=st.integers(1, 12), at_once=st.booleans())
    def clear_and_die(self, step: int, at_once: bool) -> None:
        self.stage.network.fate.left = step
        with contextlib.suppress(Killed):
            self.loop.run(self._clear(at_once=at_once))
        self.stage.restart()

    async def _clear(self, *, at_once: bool) -> None:
        await self.stage.outbox.clear(ACCOUNT, at_once=at_once)

    @rule(minutes=st.sampled_from([0.25, 1, 20, 400]))
    def wait(self, minutes: float) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @override
    def teardown(self) -> None:
        self.stage.network.moods = []
        self.stage.network.fate.left = 0
        with self.loop:
            self.loop.run(self.stage.until_idle())
        self.check()

    def check(self) -> None:
        store = self.stage.ledger.intents
        assert isinstance(store, InMemoryIntents)
        intents = [store._intents[each] for each in store._intents]
        assert all(each.state in OVER and each.result for each in intents)
        done = [each for each in intents if each.state is IntentState.DONE]
        published = self.stage.network._feed.posts
        assert sorted(each.result for each in done) == sorted(published)
        assert all(published[each.result].text == each.payload["text"] for each in done)
        remembered = [m.content for m in self.memory._memories if m.content.startswith("I posted")]
        assert Counter(remembered) == Counter(f"I posted: {text}" for text in self.stage.said())


class LaggingTimeline(AnyOrder):
    can = LAGS


class NoRepeats(AnyOrder):
    refuses_repeats = True
    can = LAGS


class Keyed(AnyOrder):
    can = KEYED


for machine in (AnyOrder, LaggingTimeline, NoRepeats, Keyed):
    machine.TestCase.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)

TestAnyOrder = AnyOrder.TestCase
TestLaggingTimeline = LaggingTimeline.TestCase
TestNoRepeats = NoRepeats.TestCase
TestKeyed = Keyed.TestCase
