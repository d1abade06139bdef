from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.unit.agents.conftest import ADA

from puppet_engine.agents.deciding import (
    EASY_ANSWERS,
    MOST_ANSWERS,
    MOST_ANSWERS_A_DAY,
    Answered,
    chances_of,
    choose_acts,
    choose_friend,
    choose_topic,
    likelihood,
)
from puppet_engine.agents.mind import Mind
from puppet_engine.core.decisions import Act
from puppet_engine.core.ids import AgentId, MemoryId
from puppet_engine.core.minds import KnownMind, Tiding
from puppet_engine.core.models import AgentConfig, StoredMemory
from puppet_engine.core.moods import Impulse, MoodState
from puppet_engine.core.relationships import Relationship
from puppet_engine.networks.capabilities import Capabilities
from puppet_engine.networks.x import CAPABILITIES as X

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)
EVERYTHING = Capabilities(likes=True, quotes=True, reposts=True)
RAIN = Tiding(
    number=3,
    type="news.weather",
    text="rain over the harbour",
    impulse=Impulse(valence=-0.5),
    happened_at=NOW,
)


def ada(**patterns: Any) -> AgentConfig:
    behavior = {"interaction_patterns": patterns}
    return AgentConfig.model_validate({**ADA, "behavior": behavior})


def mind(config: AgentConfig | None = None, **known: Any) -> Mind:
    return Mind(config or ada(), KnownMind(**known), now=NOW)


def known(handle: str = "bob", **values: float) -> Relationship:
    return Relationship.model_validate({"handle": handle, "as_of": NOW, **values})


def memory(content: str) -> StoredMemory:
    return StoredMemory(id=MemoryId("m"), agent_id=AgentId("ada"), created_at=NOW, content=content)


def topics(mind: Mind, *memories: str) -> Counter[str]:
    lately = [memory(content) for content in memories]
    drawn = (
        choose_topic(ada(), mind, lately, now=NOW, chance=Random(seed)) for seed in range(400)
    )
    return Counter(topic.text for topic in drawn)


feelings = st.floats(-1, 1)


@given(st.floats(0, 1), feelings, feelings, feelings, feelings)
def test_a_likelihood_is_one_whatever_somebody_feels(
    usual: float, affinity: float, trust: float, valence: float, arousal: float
) -> None:
    mood = MoodState(valence=valence, arousal=arousal, as_of=NOW)

    found = likelihood(usual, known(affinity=affinity, trust=trust), mind(mood=mood))

    assert 0 <= found <= 1


@given(st.floats(0.001, 0.999), feelings, feelings)
def test_whom_one_likes_more_one_answers_more(usual: float, one: float, other: float) -> None:
    less, more = sorted((one, other))

    assert likelihood(usual, known(affinity=less), mind()) <= likelihood(
        usual, known(affinity=more), mind()
    )


def test_a_good_mood_makes_one_answer_more_and_a_bad_one_less() -> None:
    def when(valence: float) -> float:
        mood = MoodState(valence=valence, arousal=0, as_of=NOW)
        return likelihood(0.5, known(), mind(mood=mood))

    assert when(-0.8) < when(0) < when(0.8)


@pytest.mark.parametrize("usual", [0.0, 1.0])
def test_what_is_never_or_always_done_stays_so(usual: float) -> None:
    assert likelihood(usual, known(affinity=-1, trust=-1), mind()) == usual


def test_only_what_the_network_lets_a_program_do_is_weighed() -> None:
    config = ada(quote_probability=0.5, repost_probability=0.5)

    on_x = chances_of(config, mind(), known(), X, answered=Answered())
    elsewhere = chances_of(config, mind(), known(), EVERYTHING, answered=Answered())

    assert set(on_x) == {Act.REPLY}
    assert set(elsewhere) == {Act.REPLY, Act.QUOTE, Act.REPOST, Act.LIKE}


def test_who_has_spoken_often_enough_says_nothing_more_but_may_like() -> None:
    config = ada(reply_probability=1, quote_probability=1, like_probability=1)

    chances = chances_of(config, mind(), known(), EVERYTHING, answered=Answered(here=MOST_ANSWERS))

    assert (chances[Act.REPLY], chances[Act.QUOTE], chances[Act.LIKE]) == (0, 0, 1)


def test_of_who_begins_a_new_conversation_each_time_one_tires_and_comes_to_an_end() -> None:
    config = ada(reply_probability=0.8, like_probability=1)

    replies = [
        chances_of(config, mind(), known(), EVERYTHING, answered=Answered(today=today))[Act.REPLY]
        for today in range(MOST_ANSWERS_A_DAY + 2)
    ]

    assert len(set(replies[: EASY_ANSWERS + 1])) == 1
    assert replies[EASY_ANSWERS:] == sorted(replies[EASY_ANSWERS:], reverse=True)
    assert replies[EASY_ANSWERS] > replies[MOST_ANSWERS_A_DAY - 1] > 0
    assert replies[MOST_ANSWERS_A_DAY:] == [0, 0]


@given(st.integers(1, MOST_ANSWERS - 1), st.floats(-1, 0.9), st.floats(0.05, 1))
def test_of_a_friend_one_tires_less(answered: int, affinity: float, more: float) -> None:
    def kept(towards: float) -> float:
        """Return which share of the chance to answer is left after some answers."""
        relationship = known(affinity=min(1.0, towards))
        fresh, later = (
            chances_of(ada(), mind(), relationship, X, answered=Answered(here=count))[Act.REPLY]
            for count in (0, answered)
        )
        return later / fresh

    assert kept(affinity) <= kept(affinity + more) + 1e-4
    assert kept(1.0) == pytest.approx(1.0, abs=1e-4)
    assert [kept(-1.0), kept(0.0)] == pytest.approx([0.9**answered] * 2, abs=1e-4)


@given(st.dictionaries(st.sampled_from([*Act]), st.floats(0, 1)), st.integers())
def test_one_thing_is_said_at_the_most_and_silence_stands_alone(
    chances: dict[Act, float], seed: int
) -> None:
    chances.pop(Act.SILENCE, None)

    acts = choose_acts(chances, Random(seed))

    assert sum(act is not Act.LIKE for act in acts) <= 1
    assert acts
    assert set(acts) <= {*chances, Act.SILENCE}


def test_news_become_a_topic_until_they_have_been_spoken_of() -> None:
    fresh = topics(mind(tidings=(RAIN,)))
    spoken_of = MoodState(valence=0, arousal=0, as_of=NOW, told=3, heard=3)

    assert fresh[RAIN.text] > 150
    assert topics(mind(tidings=(RAIN,), mood=spoken_of))[RAIN.text] == 0


def test_old_news_are_a_topic_less_often() -> None:
    old = RAIN.model_copy(update={"happened_at": NOW - timedelta(days=1)})

    assert topics(mind(tidings=(old,)))[RAIN.text] < 0.7 * topics(mind(tidings=(RAIN,)))[RAIN.text]


def test_an_interest_that_came_up_lately_comes_to_mind_sooner() -> None:
    about_engines = topics(mind(), "Bob asked after the engines", "Engines again", "engines!")

    assert about_engines["engines"] > 1.4 * topics(mind())["engines"]


def test_somebody_without_interests_speaks_of_anything() -> None:
    config = AgentConfig(id="ada", name="Ada")

    topic = choose_topic(config, mind(config), [], now=NOW, chance=Random(1))

    assert "whatever is on your mind" in topic.text


def test_a_friend_is_addressed_more_often_than_somebody_disliked() -> None:
    config = AgentConfig.model_validate(
        {**ADA, "initial_memory": {"relationships": [{"handle": "bob"}, {"handle": "eve"}]}}
    )
    standing = (
        known("bob", familiarity=0.8, affinity=0.9),
        known("eve", familiarity=0.8, affinity=-0.9),
    )
    feeling = mind(config, relationships=standing)

    drawn = Counter(choose_friend(config, feeling, Random(seed)).handle for seed in range(300))

    assert drawn["bob"] > 3 * drawn["eve"] > 0
