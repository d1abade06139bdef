"""The world's X as a place: ids, keys, and what it remembers after it was killed."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from tests.rehearsal_x import START
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import NotRunningError
from puppet_engine.world.x.journal import InMemoryJournal, Journal
from puppet_engine.world.x.problems import ProblemError
from puppet_engine.world.x.site import XSite


async def opened(journal: Journal | None = None, *, seed: int = 7) -> XSite:
    site = XSite(clock=VirtualClock(START), seed=seed, journal=journal or InMemoryJournal())
    await site.open()
    return site


class BrokenJournal(InMemoryJournal):
    """Takes accounts, but has no room for posts."""

    @override
    async def append(self, kind: str, record: Mapping[str, Any]) -> None:
        if kind == "post":
            raise OSError("no space left")
        await super().append(kind, record)


class SlowJournal(InMemoryJournal):
    """Takes its time, so that others come between a check and what follows from it."""

    @override
    async def append(self, kind: str, record: Mapping[str, Any]) -> None:
        await asyncio.sleep(0)
        await super().append(kind, record)


async def test_the_same_calls_give_the_same_ids_keys_and_times() -> None:
    def told(site: XSite) -> list[object]:
        return [post.to_record() for post in site.posts.newest()]

    lives = []
    for _ in range(2):
        site = await opened()
        ada = await site.sign_up("ada", "Ada")
        await site.publish(ada, "one")
        await site.publish(ada, "two")
        lives.append((ada, told(site)))

    assert lives[0] == lives[1]


async def test_another_seed_gives_other_keys() -> None:
    ada = await (await opened(seed=7)).sign_up("ada", "Ada")
    other = await (await opened(seed=8)).sign_up("ada", "Ada")

    assert ada.api_secret != other.api_secret
    assert ada.access_token_secret != other.access_token_secret


async def test_ids_grow_even_while_the_clock_stands_still() -> None:
    site = await opened()
    ada = await site.sign_up("ada", "Ada")

    ids = [(await site.publish(ada, f"post {number}")).id for number in range(50)]

    assert ids == sorted(set(ids))
    assert ids[0] > ada.id


async def test_signing_up_again_gives_the_same_account_whatever_the_case() -> None:
    site = await opened()
    first = await site.sign_up("Ada", "Ada L.")

    assert await site.sign_up("aDA", "somebody else") == first


@pytest.mark.parametrize("handle", ["", "x" * 16, "a b", "é", "@ada"])
async def test_a_handle_that_x_would_not_take_is_refused(handle: str) -> None:
    site = await opened()

    with pytest.raises(ProblemError, match="invalid"):
        await site.sign_up(handle, "Ada")


async def test_a_world_that_was_killed_remembers_what_it_acknowledged() -> None:
    journal = InMemoryJournal()
    site = await opened(journal)
    ada, bob = await site.sign_up("ada", "Ada"), await site.sign_up("bob", "Bob")
    question = await site.publish(ada, "@bob tea?")
    answer = await site.publish(bob, "yes", in_reply_to=question.id)
    mistake = await site.publish(bob, "oops")
    await site.delete(bob, mistake.id)

    again = await opened(journal, seed=99)

    assert again.accounts.with_handle("ada") == ada
    assert again.accounts.with_token(bob.access_token) == bob
    assert list(again.posts.newest()) == [answer, question]
    assert list(again.posts.mentioning(ada.id, "ada")) == [answer]
    assert (await again.publish(ada, "later")).id > mistake.id


async def test_a_post_that_could_not_be_written_down_was_never_said() -> None:
    site = await opened(BrokenJournal())
    ada = await site.sign_up("ada", "Ada")

    with pytest.raises(OSError, match="no space"):
        await site.publish(ada, "hello")

    assert list(site.posts.newest()) == []


async def test_of_two_posts_with_one_text_at_one_moment_only_one_is_taken() -> None:
    site = await opened(SlowJournal())
    ada = await site.sign_up("ada", "Ada")

    outcomes = await asyncio.gather(
        *(site.publish(ada, "hello") for _ in range(5)), return_exceptions=True
    )

    assert sum(not isinstance(one, ProblemError) for one in outcomes) == 1
    assert len(list(site.posts.newest())) == 1


async def test_a_deleted_post_is_nowhere_any_more() -> None:
    site = await opened()
    ada, bob = await site.sign_up("ada", "Ada"), await site.sign_up("bob", "Bob")
    post = await site.publish(ada, "@bob hello")

    assert await site.delete(ada, post.id)

    assert site.posts.with_id(post.id) is None
    assert list(site.posts.by_author(ada.id)) == []
    assert list(site.posts.mentioning(bob.id, "bob")) == []
    assert not await site.delete(ada, post.id)


async def test_only_its_author_may_delete_a_post() -> None:
    site = await opened()
    ada, bob = await site.sign_up("ada", "Ada"), await site.sign_up("bob", "Bob")
    post = await site.publish(ada, "hello")

    with pytest.raises(ProblemError, match="not authorized"):
        await site.delete(bob, post.id)


async def test_a_site_that_was_not_opened_names_the_cure() -> None:
    site = XSite(clock=VirtualClock(START), seed=7, journal=InMemoryJournal())

    with pytest.raises(NotRunningError, match="open"):
        await site.sign_up("ada", "Ada")


async def test_a_journal_of_something_else_is_refused() -> None:
    journal = InMemoryJournal()
    await journal.append("trade", {})

    with pytest.raises(ValueError, match="trade"):
        await opened(journal)


def test_keys_are_not_in_the_repr_of_an_account() -> None:
    async def sign_up() -> str:
        return repr(await (await opened()).sign_up("ada", "Ada"))

    shown = asyncio.run(sign_up())

    assert "secret" not in shown
    assert "token" not in shown
