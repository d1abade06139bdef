"""Likes, reposts and quotes: carried out where a network lets programs do them, and only there."""

from datetime import timedelta

import pytest
from tests.fakes import FakeFeed, FakeMemoryStore, FakeNetwork, ScriptedLLM
from tests.unit.agents.conftest import ADA, MakeTurn
from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.answering import Answering
from puppet_engine.agents.outgoing import _forbidden
from puppet_engine.agents.publishing import Publisher
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.decisions import Act
from puppet_engine.core.errors import NetworkRefusedError
from puppet_engine.core.ids import AgentId, IntentId, PostId
from puppet_engine.core.models import AgentConfig, Intent, IntentDraft, IntentKind
from puppet_engine.networks.capabilities import Capabilities
from puppet_engine.networks.x import CAPABILITIES as X
from puppet_engine.outbox.memory_intents import InMemoryIntents


class GenerousNetwork(FakeNetwork):
    """One on which programs may do everything; likes and reposts are sets."""

    name = "generous"
    capabilities = Capabilities(likes=True, quotes=True, reposts=True)

    def __init__(self, feed: FakeFeed, handle: str) -> None:
        super().__init__(feed, handle)
        self.liked: set[str] = set()
        self.passed_on: dict[str, PostId] = {}
        self.quoted: list[str] = []

    @override
    async def like(self, post_id: PostId) -> None:
        self.liked.add(post_id)

    @override
    async def repost(self, post_id: PostId) -> PostId:
        return self.passed_on.setdefault(post_id, PostId(f"again-{post_id}"))

    @override
    async def quote(
        self, text: str, *, quoted: PostId, idempotency_key: str | None = None
    ) -> PostId:
        self.quoted.append(quoted)
        return await self.publish(text)


def agent(**patterns: float) -> Agent:
    usual = {"reply_probability": 0, "like_probability": 0, **patterns}
    behavior = {"interaction_patterns": usual}
    return Agent(AgentConfig.model_validate({**ADA, "behavior": behavior}))


def publisher(network: FakeNetwork, clock: VirtualClock, memory: FakeMemoryStore) -> Publisher:
    intents = InMemoryIntents(
        clock=clock, ids=lambda: "i", remember=memory.add_memory, number=lambda _drafts: []
    )
    return Publisher(agent=agent(), network=network, intents=intents, clock=clock)


def intent(draft: IntentDraft, clock: VirtualClock) -> Intent:
    return Intent(
        **draft.model_dump(),
        id=IntentId("i"),
        agent_id=AgentId("ada"),
        created_at=clock.now(),
    )


async def wanted(
    make_turn: MakeTurn, feed: FakeFeed, network: FakeNetwork, **patterns: float
) -> tuple[tuple[Act, ...], list[IntentDraft]]:
    post = feed.posts[feed.add("bob", "@ada the kettle sings", None)]
    llm = ScriptedLLM("So do I.")
    payload = post.model_dump(mode="json")
    turn = make_turn(llm, payload, agent=agent(**patterns), network=network)
    outcome = await Answering().take(turn)
    assert outcome.decision is not None
    return outcome.decision.acts, list(outcome.intents)


async def test_who_always_likes_likes_and_the_outcome_is_the_same_done_twice(
    make_turn: MakeTurn, feed: FakeFeed, clock: VirtualClock, memory: FakeMemoryStore
) -> None:
    network = GenerousNetwork(feed, "ada")

    acts, (draft,) = await wanted(make_turn, feed, network, like_probability=1)
    carrier = publisher(network, clock, memory)
    effect = await carrier.perform(intent(draft, clock))
    again = await carrier.look_up(intent(draft, clock))

    assert acts == (Act.LIKE,)
    assert network.liked == {"1"}
    assert effect == again
    assert effect.memory.content == "I liked what @bob said."
    assert [event.type for event in effect.events] == ["post.liked", "memory.kept"]


async def test_a_repost_is_made_once_whatever_was_lost(
    make_turn: MakeTurn, feed: FakeFeed, clock: VirtualClock, memory: FakeMemoryStore
) -> None:
    network = GenerousNetwork(feed, "ada")

    acts, (draft,) = await wanted(make_turn, feed, network, repost_probability=1)
    carrier = publisher(network, clock, memory)
    effect = await carrier.perform(intent(draft, clock))
    again = await carrier.look_up(intent(draft, clock))

    assert acts == (Act.REPOST,)
    assert again is not None
    assert effect.result == again.result == "again-1"
    assert effect.events[0].type == "post.reposted"


async def test_a_quote_says_something_of_its_own_and_is_found_again(
    make_turn: MakeTurn, feed: FakeFeed, clock: VirtualClock, memory: FakeMemoryStore
) -> None:
    network = GenerousNetwork(feed, "ada")

    acts, (draft, like) = await wanted(
        make_turn, feed, network, quote_probability=1, like_probability=1
    )
    carrier = publisher(network, clock, memory)
    sending = intent(draft, clock)
    sending = sending.model_copy(update={"journal": await carrier.prepare(sending)})
    effect = await carrier.perform(sending)
    clock.advance(timedelta(minutes=1))
    found = await carrier.look_up(sending)

    assert acts == (Act.QUOTE, Act.LIKE)
    assert like.kind is IntentKind.LIKE
    assert network.quoted == ["1"]
    assert found is not None
    assert found.result == effect.result
    assert sum(post.author_id == "ada" for post in feed.posts.values()) == 1


async def test_on_x_nothing_of_the_kind_is_wanted_and_the_rules_forbid_it(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    network = FakeNetwork(feed, "ada")
    network.capabilities = X

    patterns = {"like_probability": 1.0, "repost_probability": 1.0, "quote_probability": 1.0}
    acts, drafts = await wanted(make_turn, feed, network, **patterns)

    assert (acts, drafts) == ((Act.SILENCE,), [])
    assert _forbidden(X) == {IntentKind.LIKE, IntentKind.QUOTE, IntentKind.REPOST}
    for refused in (network.like, network.repost):
        with pytest.raises(NetworkRefusedError, match="capabilities"):
            await refused(PostId("1"))
