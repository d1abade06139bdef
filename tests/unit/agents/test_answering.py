from datetime import timedelta

from tests.fakes import FakeFeed, FakeNetwork, ScriptedLLM
from tests.unit.agents.conftest import MakeTurn
from typing_extensions import override

from puppet_engine.agents.answering import Answering, Noticing
from puppet_engine.agents.deciding import MOST_ANSWERS
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import IntentKind, MemoryType, Post

LOOK = Noticing(every=timedelta(minutes=10))


def said(feed: FakeFeed, handle: str, text: str, in_reply_to: PostId | None = None) -> Post:
    return feed.posts[feed.add(handle, text, in_reply_to)]


async def test_each_new_mention_becomes_an_event_and_is_seen_once(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    said(feed, "bob", "@ada one")
    two = said(feed, "bob", "@ada two")

    turn = make_turn()
    outcome = await LOOK.take(turn)
    await turn.ledger.commit("ada", None, outcome)
    again = await LOOK.take(turn)

    assert [event.payload["text"] for event in outcome.events] == ["@ada one", "@ada two"]
    assert outcome.cursor == two.id
    assert (again.events, again.cursor) == ((), None)


async def test_what_was_said_is_remembered_with_who_when_and_where(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    post = said(feed, "bob", "@ada is tea an engine?")

    outcome = await Answering().take(make_turn(payload=post.model_dump(mode="json")))

    (heard,) = outcome.memories
    assert heard.type is MemoryType.INTERACTION
    assert "is tea an engine?" in heard.content
    assert heard.metadata["speaker"] == "bob"
    assert heard.metadata["conversation_id"] == post.conversation_id
    assert heard.metadata["occurred_at"] == post.created_at.isoformat()


async def test_an_answer_goes_to_the_post_and_takes_up_its_words(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    post = said(feed, "bob", "@ada is tea an engine?")
    llm = ScriptedLLM("It drives me.")

    outcome = await Answering().take(make_turn(llm, post.model_dump(mode="json")))

    (intent,) = outcome.intents
    assert intent.kind is IntentKind.REPLY
    assert intent.payload["text"] == "It drives me."
    assert intent.payload["in_reply_to"] == post.id
    assert "is tea an engine?" in llm.requests[0].prompt


async def test_a_persona_that_never_replies_only_remembers(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    post = said(feed, "bob", "@ada hello?")
    turn = make_turn(payload=post.model_dump(mode="json"))
    patterns = turn.agent.config.behavior.interaction_patterns
    silent = patterns.model_copy(update={"reply_probability": 0.0})
    behavior = turn.agent.config.behavior.model_copy(update={"interaction_patterns": silent})
    turn.agent.config = turn.agent.config.model_copy(update={"behavior": behavior})

    outcome = await Answering().take(turn)

    assert outcome.intents == ()
    assert len(outcome.memories) == 1


async def test_two_agents_who_always_answer_come_to_an_end(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    last = said(feed, "bob", "@ada hello")
    answers = 0
    for round_ in range(20):
        llm = ScriptedLLM(f"answer {round_}")
        outcome = await Answering().take(make_turn(llm, last.model_dump(mode="json")))
        if not outcome.intents:
            break
        answers += 1
        mine = said(feed, "ada", outcome.intents[0].payload["text"], last.id)
        last = said(feed, "bob", f"and then? {round_}", mine.id)

    assert 1 <= answers <= MOST_ANSWERS


async def test_an_agents_own_posts_are_no_mentions(make_turn: MakeTurn, feed: FakeFeed) -> None:
    class Echo(FakeNetwork):
        """A network that shows an account its own words, as some do."""

        @override
        def _concerns_me(self, post: Post) -> bool:
            return post.author_id != ""

    said(feed, "Ada", "@ada talking to myself")

    outcome = await LOOK.take(make_turn(network=Echo(feed, "ada")))

    assert outcome.events == ()
