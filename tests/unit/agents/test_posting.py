from datetime import UTC, datetime
from typing import Any

import pytest
from tests.fakes import FakeMemoryStore, ScriptedLLM
from tests.unit.agents.conftest import ADA, MakeTurn

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.deciding import Inclination, Topic, inclination
from puppet_engine.agents.first_day import first_memories
from puppet_engine.agents.mind import Mind
from puppet_engine.agents.posting import Posting
from puppet_engine.agents.recall import OWN_WORDS
from puppet_engine.agents.schedule import DRAWN_AT, FACTOR
from puppet_engine.agents.wording import reasons_of
from puppet_engine.core.decisions import Act
from puppet_engine.core.errors import MissingCredentialError
from puppet_engine.core.minds import KnownMind
from puppet_engine.core.models import AgentConfig, IntentKind, Memory
from puppet_engine.core.moods import MoodState


def ada(**changes: Any) -> Agent:
    return Agent(AgentConfig.model_validate({**ADA, **changes}))


async def test_a_post_is_wanted_with_the_words_of_the_model(make_turn: MakeTurn) -> None:
    llm = ScriptedLLM("Engines dream too.")

    outcome = await Posting().take(make_turn(llm, {"topic": "dreams"}))

    (intent,) = outcome.intents
    assert intent.kind is IntentKind.POST
    assert intent.payload["text"] == "Engines dream too."
    assert "dreams" in llm.requests[0].prompt


async def test_the_model_is_told_who_speaks_and_what_comes_to_mind(
    make_turn: MakeTurn, memory: FakeMemoryStore
) -> None:
    llm = ScriptedLLM("x")
    await memory.add_memory("ada", Memory(content="Steam burned my sleeve"))

    await Posting().take(make_turn(llm, {"topic": "steam"}))

    assert "Ada" in llm.requests[0].options.system
    assert "Steam burned my sleeve" in llm.requests[0].prompt


async def test_a_model_that_repeats_itself_is_asked_again(
    make_turn: MakeTurn, memory: FakeMemoryStore
) -> None:
    said = Memory(content="I posted: old news", metadata={OWN_WORDS: "Old  news"})
    await memory.add_memory("ada", said)
    llm = ScriptedLLM("old news", "new news")

    outcome = await Posting().take(make_turn(llm))

    assert outcome.intents[0].payload["text"] == "new news"
    first, second = (request.options.seed for request in llm.requests)
    assert first != second


async def test_a_model_that_only_repeats_itself_is_not_let_out(
    make_turn: MakeTurn, memory: FakeMemoryStore
) -> None:
    await memory.add_memory("ada", Memory(content="…", metadata={OWN_WORDS: "old news"}))

    outcome = await Posting().take(make_turn(ScriptedLLM("old news")))

    assert outcome.intents == ()
    assert "says again what was said before: 'old news'" in reasons_of(outcome)[0]


async def test_the_first_post_greets_somebody_the_agent_knows(make_turn: MakeTurn) -> None:
    outcome = await Posting().take(make_turn(ScriptedLLM("Hello!"), {"first": True}))

    assert outcome.intents[0].payload["text"] == "@bob Hello!"


async def test_a_post_addressed_to_somebody_is_not_addressed_twice(make_turn: MakeTurn) -> None:
    llm = ScriptedLLM("What do you say, @Bob?")

    outcome = await Posting().take(make_turn(llm, {"first": True}))

    assert outcome.intents[0].payload["text"] == "What do you say, @Bob?"


async def test_an_acquaintance_written_with_an_at_sign_is_addressed_with_one(
    make_turn: MakeTurn,
) -> None:
    agent = ada(initial_memory={"relationships": [{"handle": "@bob"}]})

    outcome = await Posting().take(make_turn(ScriptedLLM("Hello!"), {"first": True}, agent=agent))

    assert outcome.intents[0].payload["text"] == "@bob Hello!"
    assert [memory.content for memory in first_memories(agent.config)] == ["I know @bob."]


async def test_an_agent_without_an_account_neither_posts_nor_plans_to(
    make_turn: MakeTurn,
) -> None:
    turn = make_turn(network=None)

    assert Posting().routine(turn, first=True) is None
    with pytest.raises(MissingCredentialError, match="'ada'"):
        await Posting().take(turn)


def quiet(often: float) -> Agent:
    return ada(behavior={"interaction_patterns": {"post_probability": often}})


DRAWN = {DRAWN_AT: "2026-01-05T05:00:00+00:00", FACTOR: 1.0}


async def test_who_speaks_of_their_own_accord_may_keep_silent_and_says_why(
    make_turn: MakeTurn,
) -> None:
    llm = ScriptedLLM("Tea.")

    outcome = await Posting().take(make_turn(llm, dict(DRAWN), agent=quiet(0)))

    assert (outcome.intents, outcome.events, llm.requests) == ((), (), [])
    assert outcome.decision is not None
    assert outcome.decision.acts == (Act.SILENCE,)
    assert outcome.decision.chances == {Act.POST: 0}
    assert outcome.decision.why.startswith("chance chose silence (usually 0%, ")


@pytest.mark.parametrize("payload", [{"first": True}, {"topic": "tea"}, {}])
async def test_who_is_asked_to_speak_speaks(make_turn: MakeTurn, payload: dict[str, Any]) -> None:
    outcome = await Posting().take(make_turn(ScriptedLLM("Tea."), payload, agent=quiet(0)))

    assert len(outcome.intents) == 1


@pytest.mark.parametrize("answer", ["SILENCE", "silence.", '"Silence"'])
async def test_a_model_may_find_nothing_worth_saying(make_turn: MakeTurn, answer: str) -> None:
    llm = ScriptedLLM(answer)

    outcome = await Posting().take(make_turn(llm, dict(DRAWN), agent=quiet(0.999999)))

    assert outcome.intents == ()
    assert outcome.decision is not None
    assert outcome.decision.why == "the model found nothing worth saying"
    assert "the one word SILENCE" in llm.requests[0].prompt


async def test_who_always_speaks_is_not_offered_silence(make_turn: MakeTurn) -> None:
    llm = ScriptedLLM("Silence")

    outcome = await Posting().take(make_turn(llm, dict(DRAWN), agent=ada()))

    assert [each.payload["text"] for each in outcome.intents] == ["Silence"]
    assert "SILENCE" not in llm.requests[0].prompt


def test_one_says_less_of_what_one_just_said_and_where_nobody_answers() -> None:
    agent, now = quiet(0.8), datetime(2026, 1, 5, tzinfo=UTC)
    topic = Topic("engines", "one of its interests")

    def likely(said: list[str], *, unanswered: int = 0, valence: float = 0) -> Inclination:
        mood = MoodState(valence=valence, arousal=0, as_of=now, unanswered=unanswered)
        mind = Mind(agent.config, KnownMind(mood=mood), now=now)
        return inclination(agent.config, mind, topic, said)

    usual = likely(["Rain again."])
    assert usual.chance == pytest.approx(0.8)
    again = likely(["Engines dream."])
    assert again.chance == pytest.approx(0.4)
    assert "it has just spoken of that" in again.why
    alone = likely([], unanswered=4)
    assert alone.chance == pytest.approx(0.8 * 0.85**3)
    assert "nobody has said a word to its last 4 posts" in alone.why
    assert likely([], valence=-0.8).chance < usual.chance < likely([], valence=0.8).chance
