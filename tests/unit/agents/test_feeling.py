"""What moves an agent, told turn by turn: who spoke, what it did to the mood, and what is kept."""

import math
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.fakes import FakeFeed, ScriptedLLM
from tests.unit.agents.conftest import START, MakeTurn

from puppet_engine.agents.answering import Answering
from puppet_engine.agents.feeling import IGNORED_AFTER, is_tiding, of_words, tiding_of
from puppet_engine.agents.posting import Posting
from puppet_engine.agents.schedule import DRAWN_AT, FACTOR
from puppet_engine.core.decisions import Act
from puppet_engine.core.ids import EventId
from puppet_engine.core.minds import KnownMind, Tiding
from puppet_engine.core.models import Event, TurnOutcome
from puppet_engine.core.moods import Impulse, MoodState

RAIN = Tiding(
    number=7, type="news.weather", text="rain", impulse=Impulse(valence=-0.8), happened_at=START
)


async def heard(make_turn: MakeTurn, feed: FakeFeed, text: str) -> TurnOutcome:
    post = feed.posts[feed.add("bob", text, None)]
    turn = make_turn(ScriptedLLM("So it goes."), post.model_dump(mode="json"))
    return turn.mind.kept_with(await Answering().take(turn))


async def test_kind_words_lift_the_mood_and_the_affinity(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    outcome = await heard(make_turn, feed, "@ada I love this, you are wonderful!")

    assert outcome.mood is not None
    assert outcome.mood.valence > 0
    assert outcome.mood.arousal > 0
    (change,) = outcome.mood_changes
    assert (change.event, change.before.valence) == ("mention.received", 0)
    assert "@bob said something kind" in change.reason
    (bob,) = outcome.relationships
    assert bob.handle == "bob"
    assert bob.affinity > 0.2
    assert bob.reasons[-1].what.startswith("they said something kind")


async def test_hurtful_words_lower_both_and_nobodys_words_are_kept_as_reasons(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    outcome = await heard(make_turn, feed, "@ada you horrible, stupid liar. I hate you.")

    assert outcome.mood is not None
    assert outcome.mood.valence < 0
    (bob,) = outcome.relationships
    assert bob.trust < 0.2
    reasons = [*(change.reason for change in outcome.mood_changes), *(r.what for r in bob.reasons)]
    assert not any("liar" in reason for reason in reasons)


async def test_the_model_is_told_of_the_mood_and_of_whom_it_answers(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    post = feed.posts[feed.add("bob", "@ada is tea an engine?", None)]
    llm = ScriptedLLM("It is.")

    outcome = await Answering().take(make_turn(llm, post.model_dump(mode="json")))

    prompt = llm.requests[0].prompt
    assert "## How you feel" in prompt
    assert "## How you stand with them" in prompt
    assert outcome.decision is not None
    assert outcome.decision.prompt == prompt
    assert outcome.decision.acts == (Act.REPLY,)
    assert outcome.decision.chances == {Act.REPLY: 1.0}
    assert outcome.decision.drafts[0]["text"] == "It is."


async def test_silence_is_a_decision_too(make_turn: MakeTurn, feed: FakeFeed) -> None:
    post = feed.posts[feed.add("bob", "@ada hello", None)]
    turn = make_turn(payload=post.model_dump(mode="json"))
    for round_ in range(3):
        mine = feed.add("ada", f"yes {round_}", post.id)
        post = feed.posts[feed.add("bob", f"@ada and? {round_}", mine)]
    turn = make_turn(payload=post.model_dump(mode="json"))

    outcome = await Answering().take(turn)

    assert outcome.decision is not None
    assert outcome.decision.acts == (Act.SILENCE,)
    assert "spoken 3 times in this conversation" in outcome.decision.why


async def test_it_hurts_that_nobody_says_a_word_and_a_word_heals_it(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    mood = MoodState(valence=0, arousal=0, as_of=START, unanswered=IGNORED_AFTER)
    turn = make_turn(known=KnownMind(mood=mood))

    ignored = turn.mind.kept_with(await Posting().take(turn))
    answered = await heard(make_turn, feed, "@ada the kettle is on the table")

    assert ignored.mood is not None
    assert ignored.mood.valence < 0
    assert ignored.mood.unanswered == IGNORED_AFTER + 1
    assert "nobody has said a word" in ignored.mood_changes[0].reason
    assert answered.mood is not None
    assert answered.mood.unanswered == 0


async def test_news_move_whoever_hears_of_them_once_and_the_less_the_later(
    make_turn: MakeTurn,
) -> None:
    at_once = make_turn(known=KnownMind(tidings=(RAIN,))).mind
    old = RAIN.model_copy(update={"happened_at": START - timedelta(hours=6)})
    late = make_turn(known=KnownMind(tidings=(old,))).mind
    again = make_turn(known=KnownMind(tidings=(RAIN,), mood=at_once.mood)).mind

    assert at_once.mood.valence == pytest.approx(-0.4)
    assert late.mood.valence == pytest.approx(-0.2)
    assert again.changes == []


async def test_news_are_spoken_of_once(make_turn: MakeTurn) -> None:
    for number in range(60):
        turn = make_turn(
            ScriptedLLM("Rain."), known=KnownMind(tidings=(RAIN,)), chance=Random(number)
        )
        outcome = turn.mind.kept_with(await Posting().take(turn))
        assert outcome.decision is not None
        assert outcome.mood is not None
        if outcome.decision.topic == "rain":
            assert outcome.mood.told == 7
            assert "news.weather" in outcome.decision.why
            return
    pytest.fail("in sixty posts nobody spoke of the news")


def test_the_event_of_a_post_says_what_its_moment_was_drawn_from(make_turn: MakeTurn) -> None:
    stirred = MoodState(valence=0, arousal=1, as_of=START)

    usual = Posting().routine(make_turn(), first=False)
    hasty = Posting().routine(make_turn(known=KnownMind(mood=stirred)), first=False)

    assert usual is not None
    assert hasty is not None
    assert usual.payload == {DRAWN_AT: START.isoformat(), FACTOR: 1.0}
    assert hasty.payload[FACTOR] == pytest.approx(2**-0.5)
    assert hasty.due_at < usual.due_at


values = st.one_of(st.none(), st.booleans(), st.text(), st.floats(), st.integers())


@given(st.dictionaries(st.sampled_from(["topic", "title", "text", "valence", "arousal"]), values))
def test_whatever_an_event_carries_its_tiding_is_within_bounds(payload: dict[str, Any]) -> None:
    event = Event(id=EventId("e"), sequence=1, type="news.x", due_at=START, payload=payload)

    tiding = tiding_of(event)

    assert -1 <= tiding.impulse.valence <= 1
    assert -1 <= tiding.impulse.arousal <= 1
    assert not math.isnan(tiding.impulse.valence)


def test_a_mood_event_moves_but_is_nothing_to_speak_of() -> None:
    event = Event(
        id=EventId("e"),
        sequence=1,
        type="mood.weather",
        due_at=START,
        payload={"valence": 0.5, "text": "the sun came out"},
    )

    tiding = tiding_of(event)

    assert (tiding.text, tiding.impulse.valence) == ("", 0.5)
    assert [is_tiding(name) for name in ("mood.weather", "finding.report", "post.due")] == [
        True,
        True,
        False,
    ]


@given(st.floats(-1, 1), st.text(max_size=80), st.floats(0, 1))
def test_words_of_somebody_known_move_more_than_those_of_a_stranger(
    valence: float, text: str, familiarity: float
) -> None:
    stranger, friend = (of_words(valence, text, familiarity=known) for known in (0.0, familiarity))

    assert abs(friend.valence) >= abs(stranger.valence)
    assert 0 <= stranger.arousal <= friend.arousal <= 1
