"""What every social network promises, on each of ours."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from tests.fakes import FakeFeed, FakeNetwork
from tests.rehearsal_x import START, opened_stage

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import NetworkRefusedError
from puppet_engine.core.ids import PostId
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.networks.x import XNetwork


@dataclass
class Place:
    clock: VirtualClock
    account: Callable[[str], Awaitable[SocialNetwork]]


@pytest.fixture(params=["fake", "x in process", "x behind a socket"])
async def place(request: pytest.FixtureRequest) -> AsyncGenerator[Place]:
    if request.param == "fake":
        feed = FakeFeed(VirtualClock(START))

        async def fake(handle: str) -> SocialNetwork:
            return FakeNetwork(feed, handle)

        yield Place(feed.clock, fake)  # type: ignore[arg-type]
        return
    async with opened_stage(behind_socket="socket" in request.param) as stage:

        async def x(handle: str) -> SocialNetwork:
            return XNetwork(await stage.client(handle))

        yield Place(stage.clock, x)


async def test_what_is_published_is_among_the_own_posts(place: Place) -> None:
    ada = await place.account("ada")

    post_id = await ada.publish("Good morning, 100% of you & ñandú 🦤")

    (post,) = await ada.own_posts(not_before=START)
    assert (post.id, post.text) == (post_id, "Good morning, 100% of you & ñandú 🦤")
    assert (post.author_handle, post.created_at) == ("ada", START)
    assert (post.conversation_id, post.in_reply_to) == (post_id, None)


async def test_own_posts_are_given_oldest_first_with_replies_from_the_moment_asked_for(
    place: Place,
) -> None:
    ada, bob = await place.account("ada"), await place.account("bob")
    await ada.publish("before")
    place.clock.advance(timedelta(hours=1))
    question = await bob.publish("@ada how are you?")
    answer = await ada.publish("well", in_reply_to=question)
    place.clock.advance(timedelta(minutes=1))
    last = await ada.publish("after")

    posts = await ada.own_posts(not_before=START + timedelta(hours=1))

    assert [post.id for post in posts] == [answer, last]


async def test_a_post_that_names_the_account_is_a_mention(place: Place) -> None:
    ada, bob = await place.account("ada"), await place.account("bob")
    named = await bob.publish("what does @ada think?")
    await bob.publish("what does @adalbert think?")
    await bob.publish("what does anybody think?")

    mentions = await ada.mentions()

    assert [(post.id, post.author_handle) for post in mentions] == [(named, "bob")]


async def test_an_answer_to_the_account_is_a_mention_even_if_it_does_not_name_it(
    place: Place,
) -> None:
    ada, bob = await place.account("ada"), await place.account("bob")
    question = await ada.publish("@bob, tea or coffee?")
    answer = await bob.publish("tea", in_reply_to=question)

    (mention,) = await ada.mentions()

    assert (mention.id, mention.in_reply_to) == (answer, question)
    assert mention.conversation_id == question


async def test_nobody_is_mentioned_by_themselves(place: Place) -> None:
    ada = await place.account("ada")
    first = await ada.publish("I, @ada, have a thought")
    await ada.publish("and another", in_reply_to=first)

    assert await ada.mentions() == []


async def test_mentions_are_given_oldest_first_and_only_the_newer_ones(place: Place) -> None:
    ada, bob = await place.account("ada"), await place.account("bob")
    ids = [await bob.publish(f"@ada, number {number}") for number in range(7)]

    everything = await ada.mentions()
    newer = await ada.mentions(since=ids[3])

    assert [post.id for post in everything] == ids
    assert [post.id for post in newer] == ids[4:]
    assert await ada.mentions(since=ids[-1]) == []


async def test_an_answer_to_a_post_that_does_not_exist_is_refused(place: Place) -> None:
    ada = await place.account("ada")

    with pytest.raises(NetworkRefusedError):
        await ada.publish("hello?", in_reply_to=PostId("404"))

    assert await ada.own_posts(not_before=START) == []


async def test_a_search_finds_posts_with_all_the_words_newest_first(place: Place) -> None:
    ada, bob = await place.account("ada"), await place.account("bob")
    first = await ada.publish("The grey cat sleeps.")
    await ada.publish("A grey day.")
    second = await bob.publish("My CAT is grey too")
    third = await bob.publish("no cat, all cats are grey")

    found = await ada.search("grey cat")
    fewer = await ada.search("grey cat", limit=2)

    assert [post.id for post in found] == [third, second, first]
    assert [post.id for post in fewer] == [third, second]


@pytest.mark.parametrize("query", ["", "  ", "?!", '"'])
async def test_a_search_without_words_finds_nothing(place: Place, query: str) -> None:
    ada = await place.account("ada")
    await ada.publish("something")

    assert await ada.search(query) == []


@pytest.mark.parametrize(
    "query", ["cats OR dogs", "-cats dogs or", "dogs (or) cats:", '"cats or dogs']
)
async def test_the_words_of_a_search_are_never_taken_for_operators(
    place: Place, query: str
) -> None:
    ada = await place.account("ada")
    both = await ada.publish("dogs or cats")
    await ada.publish("only dogs")

    assert [post.id for post in await ada.search(query)] == [both]


async def test_a_thread_is_what_was_said_before_oldest_first(place: Place) -> None:
    ada, bob = await place.account("ada"), await place.account("bob")
    texts = ["@bob one", "two", "three", "four"]
    ids: list[PostId] = []
    for number, text in enumerate(texts):
        speaker = ada if number % 2 == 0 else bob
        ids.append(await speaker.publish(text, in_reply_to=ids[-1] if ids else None))
    newest = (await ada.mentions())[-1]

    thread = await ada.thread(newest)
    shorter = await ada.thread(newest, limit=2)

    assert [post.text for post in thread] == texts[:3]
    assert [post.text for post in shorter] == texts[1:3]


async def test_the_first_post_of_a_conversation_has_no_thread_before_it(place: Place) -> None:
    ada = await place.account("ada")
    await ada.publish("first")
    (post,) = await ada.own_posts(not_before=START)

    assert await ada.thread(post) == []


async def test_an_account_can_be_used_after_it_was_closed(place: Place) -> None:
    ada = await place.account("ada")
    await ada.publish("before")

    await ada.aclose()
    await ada.aclose()

    assert await ada.publish("after")
