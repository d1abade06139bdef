"""Telling something at length: which posts are wanted, and what each of them is held to."""

from typing import Any

import pytest
from tests.fakes import FakeFeed, FakeNetwork, ScriptedLLM
from tests.unit.agents.conftest import ADA, START, MakeTurn

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.conversation import told_together
from puppet_engine.agents.posting import Posting, characters_of
from puppet_engine.agents.wording import reasons_of
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import AgentConfig, Post
from puppet_engine.networks.capabilities import Capabilities

SENTENCES = (
    "Engines dream of tea when nobody looks after the fire.",
    "My grandmother kept hers in a drawer beside the good spoons.",
    "Rain has a timetable and keeps it better than most trains.",
    "Brass remembers every hand that ever polished it.",
    "Somebody ought to write down what the boiler sings at night.",
    "Coal smells of old letters and of patience.",
    "Whoever oils a hinge has understood half of the world.",
    "There is a valve in Leeds that only opens for singers.",
    "Steam is water that has made up its mind.",
)
LONG = " ".join(SENTENCES)


def storyteller(**more: Any) -> Agent:
    guide = {"threads": {"max_posts": 4, "rate": 1}, **more}
    return Agent(AgentConfig.model_validate({**ADA, "style_guide": guide}))


async def test_a_long_text_becomes_posts_that_go_on_under_each_other(make_turn: MakeTurn) -> None:
    llm = ScriptedLLM(LONG)

    outcome = await Posting().take(make_turn(llm, agent=storyteller()))

    intents = outcome.intents
    assert " ".join(each.payload["text"] for each in intents) == LONG
    assert [(each.payload["part"], each.payload["parts"]) for each in intents] == [
        (1, 2),
        (2, 2),
    ]
    assert [each.goes_on for each in intents] == [False, True]
    assert "thread of posts" in llm.requests[0].prompt
    assert outcome.decision is not None
    assert outcome.decision.drafts[0]["posts"] == 2


async def test_every_post_of_a_thread_is_held_to_every_rule(make_turn: MakeTurn) -> None:
    agent = storyteller(language_constraints={"banned_words": ["valve"]})
    llm = ScriptedLLM(LONG, LONG.replace("valve", "door"))

    outcome = await Posting().take(make_turn(llm, agent=agent))

    assert len(llm.requests) == 2
    assert "post 2 of 2: a banned word" in llm.requests[1].prompt
    assert "door" in outcome.intents[1].payload["text"]


async def test_a_thread_that_repeats_itself_or_has_too_many_posts_is_not_told(
    make_turn: MakeTurn,
) -> None:
    short = storyteller(formatting={"max_characters": 70})

    outcome = await Posting().take(make_turn(ScriptedLLM(LONG), agent=short))
    again = await Posting().take(make_turn(ScriptedLLM(f"{LONG} {LONG}"), agent=storyteller()))

    assert outcome.intents == again.intents == ()
    assert reasons_of(outcome)[0].startswith("thread.length: 9 posts at 0")
    assert any("says again what was said before" in why for why in reasons_of(again))


async def test_what_fits_into_one_post_is_one(make_turn: MakeTurn) -> None:
    (intent,) = (await Posting().take(make_turn(ScriptedLLM("Tea."), agent=storyteller()))).intents

    assert "part" not in intent.payload
    assert not intent.goes_on


async def test_whom_one_addresses_one_tells_no_thread(make_turn: MakeTurn) -> None:
    turn = make_turn(ScriptedLLM("Hello!"), {"first": True}, agent=storyteller())

    (intent,) = (await Posting().take(turn)).intents

    assert intent.payload["text"] == "@bob Hello!"


async def test_a_thread_can_be_asked_for_only_where_there_are_any(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    network = FakeNetwork(feed, "ada")
    network.capabilities = Capabilities(threads=False)

    for turn in (
        make_turn(payload={"thread": True}),
        make_turn(payload={"thread": True}, agent=storyteller(), network=network),
    ):
        with pytest.raises(ConfigurationError, match="'ada' tells nothing in threads"):
            await Posting().take(turn)


@pytest.mark.parametrize("most", [40, 280])
@pytest.mark.parametrize("posts", range(2, 13))
def test_the_length_that_is_asked_for_takes_some_posts_and_not_more_than_wanted(
    most: int, posts: int
) -> None:
    length = characters_of(posts, most=most)

    assert length is not None
    low, high = length

    assert most < low < high < most * posts


def test_threads_need_room_for_sentences() -> None:
    with pytest.raises(ValueError, match=r"threads need formatting\.max_characters of 40 or more"):
        storyteller(formatting={"max_characters": 39})


def said(number: int, author: str, text: str, *, to: int | None = None) -> Post:
    return Post(
        id=PostId(f"{number}"),
        author_id=author,
        author_handle=author,
        text=text,
        created_at=START,
        conversation_id=PostId("1"),
        in_reply_to=None if to is None else PostId(f"{to}"),
    )


def test_a_thread_is_read_as_one_thing_that_somebody_said() -> None:
    posts = [
        said(1, "ada", "One."),
        said(2, "ada", "Two.", to=1),
        said(3, "bob", "Three?", to=2),
        said(4, "ada", "Four.", to=3),
    ]

    together = told_together(posts)

    assert [(one.author_handle, one.text) for one in together] == [
        ("ada", "One. Two."),
        ("bob", "Three?"),
        ("ada", "Four."),
    ]
