"""From a model's drafts to what leaves, with a persona whose rules the model breaks."""

from datetime import timedelta
from typing import Any

import pytest
from tests.fakes import FakeFeed, FakeMemoryStore, FakeNetwork, ScriptedLLM
from tests.fickle_network import START
from tests.unit.agents.conftest import ADA, MakeTurn
from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.agents.answering import Answering, Noticing
from puppet_engine.agents.doors import Doors
from puppet_engine.agents.posting import Posting
from puppet_engine.agents.wording import HELD_BACK, TRIES
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import HeldBackError, ModelBudgetError, PolicyError
from puppet_engine.core.models import AgentConfig, Event, IntentDraft, IntentKind, TurnOutcome
from puppet_engine.events.engine import EventEngine
from puppet_engine.llm.base import Completion, CompletionRequest
from puppet_engine.personas.prompt import Section
from puppet_engine.style.repetition import marks_of

CALM: dict[str, Any] = {
    **ADA,
    "style_guide": {"formatting": {"punctuation": {"forbidden": ["!"]}}},
}


def calm(**formatting: Any) -> Agent:
    guide = {"formatting": {"punctuation": {"forbidden": ["!"]}, **formatting}}
    return Agent(AgentConfig.model_validate({**ADA, "style_guide": guide}))


async def test_a_draft_that_breaks_a_rule_is_asked_for_again_with_the_reason(
    make_turn: MakeTurn,
) -> None:
    llm = ScriptedLLM("Tea!", "Tea.")

    outcome = await Posting().take(make_turn(llm, agent=calm()))

    assert outcome.intents[0].payload["text"] == "Tea."
    assert outcome.intents[0].payload["checks"] == {"drafts": 2, "findings": []}
    first, second = (request.prompt for request in llm.requests)
    assert Section.CORRECTION not in first
    assert f"## {Section.CORRECTION}\n> punctuation.forbidden: the mark ! is never used" in second


async def test_the_best_of_all_drafts_goes_out_when_only_soft_rules_give_way(
    make_turn: MakeTurn,
) -> None:
    agent = calm(question_rate=1)
    llm = ScriptedLLM("Is it tea?!", "Tea is warm iron.", "Engines dream.", "Engines hum!")

    outcome = await Posting().take(make_turn(llm, agent=agent))

    assert len(llm.requests) == TRIES
    assert outcome.intents[0].payload["text"] == "Tea is warm iron."
    (finding,) = outcome.intents[0].payload["checks"]["findings"]
    assert finding.startswith("rate.questions")


async def test_what_was_said_long_ago_is_not_said_again_in_other_marks_and_case(
    make_turn: MakeTurn,
) -> None:
    old = "The tea of the night watch is older than the night watch."
    llm = ScriptedLLM(old.replace(".", "?").upper(), "The kettle has its own mind.")
    turn = make_turn(llm, agent=calm())
    for text in [
        old,
        *(f"Engine {number} dreams of {number * 7} rivers." for number in range(70)),
    ]:
        payload = {"text": text, "marks": list(marks_of(text))}
        said = IntentDraft(kind=IntentKind.POST, payload=payload, account="x:ada")
        await turn.ledger.commit("ada", None, TurnOutcome(intents=(said,)))

    outcome = await Posting().take(turn)

    assert outcome.intents[0].payload["text"] == "The kettle has its own mind."
    assert "repetition.own: says again" in llm.requests[1].prompt


async def test_when_all_drafts_break_a_hard_rule_nothing_is_said_and_it_is_told_why(
    make_turn: MakeTurn,
) -> None:
    llm = ScriptedLLM("Tea!")

    outcome = await Posting().take(make_turn(llm, {"topic": "tea"}, agent=calm()))

    assert outcome.intents == ()
    (told,) = outcome.events
    assert (told.type, told.agent_id) == (HELD_BACK, "ada")
    assert told.payload["topic"] == "tea"
    assert len(told.payload["drafts"]) == TRIES
    assert told.payload["drafts"][0]["text"] == "Tea!"
    assert "the mark ! is never used" in told.payload["drafts"][0]["findings"][0]


async def test_a_reply_is_held_to_the_same_rules_and_what_was_heard_is_remembered(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    post = feed.posts[feed.add("bob", "@ada hello", None)]

    turn = make_turn(ScriptedLLM("Hello!"), post.model_dump(mode="json"), agent=calm())
    outcome = await Answering().take(turn)

    assert outcome.intents == ()
    assert [memory.content for memory in outcome.memories] == ["@bob said to me: @ada hello"]
    assert outcome.events[0].payload["in_reply_to"] == post.id


async def test_a_secret_is_never_said_nor_kept_as_what_was_not_said(make_turn: MakeTurn) -> None:
    turn = make_turn(ScriptedLLM("It is open-sesame-1."), doors=Doors(secrets=["open-sesame-1"]))

    outcome = await Posting().take(turn)

    assert outcome.intents == ()
    assert "open-sesame" not in outcome.model_dump_json()
    assert "one of this engine's secrets" in outcome.model_dump_json()


async def test_what_another_said_lately_is_not_said_again(make_turn: MakeTurn) -> None:
    turn = make_turn(ScriptedLLM("Fog is honest."))
    drafts = (IntentDraft(kind=IntentKind.POST, payload={"text": "Fog is honest."}),)
    await turn.ledger.commit("bob", None, TurnOutcome(intents=drafts))

    outcome = await Posting().take(turn)

    assert outcome.intents == ()
    assert "another has said it" in outcome.model_dump_json()


class TestTheWholePath:
    """From an order to the network: what breaks a hard rule never gets there."""

    @pytest.fixture
    async def manager(
        self, clock: VirtualClock, feed: FakeFeed, memory: FakeMemoryStore
    ) -> AgentManager:
        async def open_account(agent: Agent) -> FakeNetwork:
            return FakeNetwork(feed, agent.handle)

        self.engine = EventEngine(clock=clock)
        self.told: list[Event] = []
        manager = AgentManager(
            {
                "memory_store": memory,
                "default_llm_provider": ScriptedLLM("Tea!"),
                "event_engine": self.engine,
                "clock": clock,
                "open_account": open_account,
            }
        )
        await manager.create_agent(CALM)
        await manager.start_agents()
        return manager

    async def test_the_model_breaks_the_rule_and_nothing_leaves(
        self, manager: AgentManager, feed: FakeFeed
    ) -> None:
        with pytest.raises(HeldBackError, match="the mark ! is never used") as caught:
            await manager.trigger_post("ada", {"topic": "tea"})

        assert len(caught.value.reasons) == TRIES
        assert feed.posts == {}

    async def test_a_text_that_came_another_way_is_stopped_at_the_door(
        self, manager: AgentManager, feed: FakeFeed
    ) -> None:
        door = manager._outgoing._carrier
        draft = IntentDraft(kind=IntentKind.POST, payload={"text": "Tea!"}, account="fake:ada")
        ledger = manager._ledger
        await ledger.commit("ada", None, TurnOutcome(intents=(draft,)))
        (intent,) = await ledger.intents.unfinished(limit=1)
        carrier = door(manager.get_agent("ada"), intent)
        assert carrier is not None

        with pytest.raises(PolicyError, match=r"does not say such things.*the mark !"):
            carrier.policy.check(intent)
        assert feed.posts == {}


async def test_an_agent_that_takes_its_time_answers_later(
    make_turn: MakeTurn, feed: FakeFeed, clock: VirtualClock
) -> None:
    times = {"response_times": {"min_minutes": 5, "max_minutes": 9}}
    feed.add("bob", "@ada hello", None)
    agent = Agent(AgentConfig.model_validate({**ADA, "behavior": times}))

    outcome = await Noticing(every=timedelta(hours=1)).take(make_turn(agent=agent))

    waited = outcome.events[0].due_at - clock.now()
    assert timedelta(minutes=5) <= waited <= timedelta(minutes=9)


async def test_who_has_used_up_the_budget_keeps_silent_and_says_why(make_turn: MakeTurn) -> None:
    class Spent(ScriptedLLM):
        @override
        async def complete(self, request: CompletionRequest) -> Completion:
            if self.requests:
                raise ModelBudgetError("'ada' asks no model until tomorrow", resets_at=START)
            return await super().complete(request)

    outcome = await Posting().take(make_turn(Spent("Tea!"), agent=calm()))

    (told,) = outcome.events
    assert outcome.intents == ()
    assert told.type == HELD_BACK
    assert told.payload["silenced"] == "'ada' asks no model until tomorrow"
    assert told.payload["until"] == START.isoformat()
    assert len(told.payload["drafts"]) == 1


async def test_who_is_told_to_post_with_a_spent_budget_hears_until_when(
    clock: VirtualClock, feed: FakeFeed, memory: FakeMemoryStore
) -> None:
    class Spent(ScriptedLLM):
        @override
        async def complete(self, request: CompletionRequest) -> Completion:
            raise ModelBudgetError("nobody is asked", resets_at=START)

    async def open_account(agent: Agent) -> FakeNetwork:
        return FakeNetwork(feed, agent.handle)

    manager = AgentManager(
        {
            "memory_store": memory,
            "default_llm_provider": Spent(),
            "event_engine": EventEngine(clock=clock),
            "clock": clock,
            "open_account": open_account,
        }
    )
    await manager.create_agent(CALM)
    await manager.start_agents()

    with pytest.raises(ModelBudgetError, match="nobody is asked") as caught:
        await manager.trigger_post("ada", {"topic": "tea"})

    assert caught.value.resets_at == START


async def test_a_draft_that_may_leave_goes_out_though_the_budget_ends_before_a_better_one(
    make_turn: MakeTurn,
) -> None:
    class Spent(ScriptedLLM):
        @override
        async def complete(self, request: CompletionRequest) -> Completion:
            if self.requests:
                raise ModelBudgetError("spent", resets_at=START)
            return await super().complete(request)

    agent = calm(question_rate=1)
    outcome = await Posting().take(make_turn(Spent("Tea is warm iron."), agent=agent))

    assert outcome.intents[0].payload["text"] == "Tea is warm iron."
