"""A thread goes out post by post, each under the one before, whatever happens in between."""

import contextlib
from datetime import timedelta

import pytest
from tests.fakes import FakeFeed, FakeMemoryStore
from tests.fickle_network import ACCOUNT, START, FickleNetwork, Killed, Mood, Stage

from puppet_engine.agents.direct_ledger import DirectLedger
from puppet_engine.agents.publishing import PART, PARTS
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.models import IntentDraft, IntentKind, TurnOutcome
from puppet_engine.networks.capabilities import Capabilities
from puppet_engine.outbox.limits import RateCap

TEXTS = ("one", "two", "three")
LAGS = Capabilities(visible_within=timedelta(seconds=30))


class Life:
    """Ada, who tells a thread of three, and says something else after it."""

    def __init__(self, *, can: Capabilities = LAGS, cap: int = 100) -> None:
        self.clock = VirtualClock(START)
        self.memory = FakeMemoryStore(self.clock)
        ledger = DirectLedger(memory=self.memory, clock=self.clock, ids=seeded_ids(1))
        self.network = FickleNetwork(FakeFeed(self.clock), can=can)
        caps = (RateCap(cap, timedelta(hours=12)),)
        self.stage = Stage(ledger, self.clock, self.network, caps=caps)

    async def tell(self) -> None:
        drafts = tuple(
            IntentDraft(
                kind=IntentKind.POST,
                payload={"text": text, PART: number, PARTS: len(TEXTS)},
                account=ACCOUNT,
                expires_at=START + timedelta(hours=6),
                goes_on=number > 1,
            )
            for number, text in enumerate(TEXTS, 1)
        )
        await self.stage.ledger.commit("ada", None, TurnOutcome(intents=drafts))
        await self.stage.want("something else")

    def said(self) -> list[tuple[str, str | None]]:
        """Return what was said, and under which text."""
        posts = self.network._feed.posts
        return [
            (one.text, posts[one.in_reply_to].text if one.in_reply_to else None)
            for one in posts.values()
        ]

    def told(self) -> list[dict[str, object]]:
        return [each.payload for each in self.stage.told if each.type == "post.published"]


WHOLE = [("one", None), ("two", "one"), ("three", "two"), ("something else", None)]


async def test_each_post_stands_under_the_one_before() -> None:
    life = Life()
    await life.tell()

    await life.stage.until_idle()

    assert life.said() == WHOLE
    assert [(each.get(PART), each["conversation_id"]) for each in life.told()] == [
        (1, "1"),
        (2, "1"),
        (3, "1"),
        (None, "4"),
    ]
    contents = [one.content for one in await life.memory.get_memories("ada")]
    assert contents[::-1] == [
        "I posted: one",
        "I posted, going on: two",
        "I posted, going on: three",
        "I posted: something else",
    ]


KEYED = Capabilities(idempotency_keys=True, key_lifetime=timedelta(days=30))


@pytest.mark.parametrize("can", [LAGS, KEYED, Capabilities()], ids=["lags", "keyed", "at once"])
@pytest.mark.parametrize("mood", [Mood.FINE, Mood.REPLY_LOST, Mood.REQUEST_LOST, Mood.BUSY])
async def test_killed_at_any_step_no_post_is_told_twice_and_none_is_lost(
    can: Capabilities, mood: Mood
) -> None:
    for step in range(1, 40):
        life = Life(can=can)
        await life.tell()
        life.network.moods = [mood, Mood.FINE, mood]
        life.network.fate.left = step
        killed = False
        try:
            await life.stage.until_idle()
        except Killed:
            killed = True
        life.stage.restart()
        with contextlib.suppress(AssertionError):
            await life.stage.until_idle()
        assert life.said() == WHOLE, f"killed at step {step}"
        if not killed:
            return
    raise AssertionError("there were more steps than were killed")


async def test_what_was_to_follow_a_post_that_is_refused_is_told_to_be_given_up() -> None:
    life = Life()
    await life.tell()
    life.network.moods = [Mood.FINE, Mood.REFUSES]

    await life.stage.until_idle()

    assert life.said() == [("one", None), ("something else", None)]
    regrets = [
        one.content
        for one in await life.memory.get_memories("ada")
        if "came to nothing" in one.content
    ]
    assert regrets[::-1] == [
        "I wanted to go on with what I was telling, but it came to nothing; I did not say: two",
        "I wanted to go on with what I was telling, but it came to nothing; I did not say: three",
    ]
    assert any(why.startswith("BrokenThreadError") for why in life.stage.failures())


async def test_posts_that_come_too_late_are_regretted_one_by_one() -> None:
    life = Life(cap=1)
    await life.tell()

    await life.stage.until_idle()

    assert life.said() == [("one", None)]
    contents = [one.content for one in await life.memory.get_memories("ada")]
    assert sum("I wanted to go on" in one for one in contents) == 2
