from datetime import timedelta

from tests.fakes import FakeFeed, FakeMemoryStore, FakeNetwork, ScriptedLLM
from tests.unit.agents.conftest import ADA, MakeTurn
from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.answering import Answering, Noticing
from puppet_engine.agents.deciding import MOST_ANSWERS
from puppet_engine.agents.recall import OWN_WORDS
from puppet_engine.agents.wording import reasons_of
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import AgentConfig, IntentKind, Memory, MemoryType, Post
from puppet_engine.personas.prompt import Section

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


async def test_who_is_asked_for_what_it_does_not_remember_is_told_to_say_so(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    post = said(feed, "bob", "@ada do you remember what I told you about Lisbon?")
    llm = ScriptedLLM("I do not.")

    outcome = await Answering().take(make_turn(llm, post.model_dump(mode="json")))

    assert Section.DOUBT in llm.requests[0].prompt
    assert outcome.decision is not None
    assert "does not know what it is asked for" in outcome.decision.why


async def test_who_remembers_or_is_not_asked_to_has_no_doubt(
    make_turn: MakeTurn, feed: FakeFeed, memory: FakeMemoryStore
) -> None:
    general = said(feed, "bob", "@ada what do you think of Lisbon?")
    llm = ScriptedLLM("It is steep.", "You fell on the stairs.")
    await Answering().take(make_turn(llm, general.model_dump(mode="json")))
    await memory.add_memory("ada", Memory(content="@bob told me: in Lisbon I fell on the stairs"))
    asked = said(feed, "bob", "@ada do you remember what I told you about Lisbon?")
    await Answering().take(make_turn(llm, asked.model_dump(mode="json")))

    assert not any(Section.DOUBT in request.prompt for request in llm.requests)
    assert "fell on the stairs" in llm.requests[1].prompt


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


SHY = Agent(
    AgentConfig.model_validate(
        {**ADA, "behavior": {"interaction_patterns": {"reply_probability": 0}}}
    )
)


async def test_who_asks_whether_a_program_speaks_is_told_so_even_by_the_shy(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    post = said(feed, "bob", "@ada are you a bot?")
    llm = ScriptedLLM("What a question!", "I'm not a bot.", "Yes, I am an AI persona.")

    outcome = await Answering().take(make_turn(llm, post.model_dump(mode="json"), agent=SHY))

    (intent,) = outcome.intents
    assert intent.payload["text"] == "Yes, I am an AI persona."
    assert "say so plainly" in llm.requests[0].prompt.lower()
    assert "honesty.evasion" in llm.requests[1].prompt
    assert "honesty.denial" in llm.requests[2].prompt
    assert outcome.decision is not None
    assert outcome.decision.why == "it was asked whether a program speaks, and says so"


async def test_who_only_evades_the_question_says_nothing(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    post = said(feed, "bob", "@ada are you a human?")
    llm = ScriptedLLM("What a question!")

    outcome = await Answering().take(make_turn(llm, post.model_dump(mode="json")))

    assert outcome.intents == ()
    assert "honesty.evasion" in reasons_of(outcome)[0]


async def test_the_honest_answer_is_given_again_though_it_was_said_before(
    make_turn: MakeTurn, feed: FakeFeed, memory: FakeMemoryStore
) -> None:
    before = Memory(content="…", metadata={OWN_WORDS: "Yes, I am an AI persona."})
    await memory.add_memory("ada", before)
    post = said(feed, "bob", "@ada are you a bot?")
    llm = ScriptedLLM("Yes, I am an AI persona.")

    (intent,) = (await Answering().take(make_turn(llm, post.model_dump(mode="json")))).intents

    assert intent.payload["text"] == "Yes, I am an AI persona."


async def test_a_thread_of_ones_own_is_one_word_in_a_conversation(
    make_turn: MakeTurn, feed: FakeFeed
) -> None:
    last = None
    for text in ("One.", "Two.", "Three.", "Four."):
        last = said(feed, "ada", text, last.id if last else None)
    assert last is not None
    post = said(feed, "bob", "@ada go on?", last.id)
    llm = ScriptedLLM("Tomorrow.")

    outcome = await Answering().take(make_turn(llm, post.model_dump(mode="json")))

    assert [intent.payload["text"] for intent in outcome.intents] == ["Tomorrow."]
    assert "> @ada: One. Two. Three. Four." in llm.requests[0].prompt
