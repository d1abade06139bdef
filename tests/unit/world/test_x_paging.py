"""Laws of lists: pages leave nothing out and show nothing twice."""

import asyncio
from datetime import timedelta

from hypothesis import given, settings, strategies as st
from tests.rehearsal_x import START, opened_stage

from puppet_engine.core.clock import VirtualClock
from puppet_engine.world.x.accounts import Account
from puppet_engine.world.x.journal import InMemoryJournal
from puppet_engine.world.x.pages import Renderer, TimelineOptions
from puppet_engine.world.x.site import XSite

COUNTS = st.integers(0, 40)
PAGES = st.integers(5, 20)


async def filled(count: int) -> tuple[XSite, Account]:
    clock = VirtualClock(START)
    site = XSite(clock=clock, seed=7, journal=InMemoryJournal())
    await site.open()
    ada, bob = await site.sign_up("ada", "Ada"), await site.sign_up("bob", "Bob")
    for number in range(count):
        # Some name the account, some answer it, some do both.
        origin = await site.publish(ada, f"@bob {number}")
        text = f"@ada yes {number}" if number % 3 else f"yes {number}"
        await site.publish(
            bob, text, in_reply_to=origin.id if number % 2 or text[0] != "@" else None
        )
        clock.advance(timedelta(seconds=1))
    return site, ada


def walk(site: XSite, account: Account, **options: object) -> list[list[int]]:
    pages = []
    token = None
    while True:
        wanted = TimelineOptions.model_validate({**options, "pagination_token": token})
        renderer = Renderer(accounts=site.accounts, posts=site.posts, options=wanted)
        mentions = site.posts.mentioning(account.id, account.handle)
        page = renderer.page(wanted.select(mentions), max_results=wanted.max_results)
        pages.append([int(post["id"]) for post in page.get("data", [])])
        token = page["meta"].get("next_token")
        if token is None:
            return pages


@settings(max_examples=40, deadline=None)
@given(count=COUNTS, size=PAGES)
def test_pages_together_are_the_whole_list_newest_first(count: int, size: int) -> None:
    site, ada = asyncio.run(filled(count))
    everything = [post.id for post in site.posts.newest() if post.author_id != ada.id]

    pages = walk(site, ada, max_results=size)

    assert [one for page in pages for one in page] == everything
    assert all(len(page) == size for page in pages[:-1])


@settings(max_examples=40, deadline=None)
@given(count=COUNTS, size=PAGES, data=st.data())
def test_since_and_until_cut_out_exactly_what_lies_between(
    count: int, size: int, data: st.DataObject
) -> None:
    site, ada = asyncio.run(filled(count))
    everything = [post.id for post in site.posts.newest() if post.author_id != ada.id]
    borders = st.sampled_from([1, *everything, 9_000_000_000_000_000_000])
    since, until = data.draw(borders), data.draw(borders)

    pages = walk(site, ada, max_results=size, since_id=str(since), until_id=str(until))

    expected = [one for one in everything if since < one < until]
    assert [one for page in pages for one in page] == expected


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 30), size=PAGES, more=st.integers(1, 10))
def test_posts_that_come_between_two_pages_move_nothing(count: int, size: int, more: int) -> None:
    async def live() -> tuple[list[int], list[int]]:
        site, ada = await filled(count)
        bob = site.accounts.with_handle("bob")
        assert bob is not None
        before = walk(site, ada, max_results=size)
        for number in range(more):
            await site.publish(bob, f"@ada late {number}")
        rest = walk(site, ada, max_results=size, until_id=str(before[0][-1]))
        return [one for page in before[1:] for one in page], [one for page in rest for one in page]

    before, after = asyncio.run(live())

    assert before == after


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 250), min_size=1, max_size=6))
def test_polling_since_the_last_mention_gives_each_mention_once(bursts: list[int]) -> None:
    async def live() -> tuple[list[str], list[str]]:
        async with opened_stage() as stage:
            client = await stage.client("ada")
            await stage.keys("bob")
            bob = stage.site.accounts.with_handle("bob")
            assert bob is not None
            said: list[str] = []
            first = await stage.site.publish(bob, "@ada first")
            seen = [post.id for post in await client.get_mentions()]
            for number, burst in enumerate(bursts):
                for one in range(burst):
                    post = await stage.site.publish(bob, f"@ada {number} {one}")
                    said.append(str(post.id))
                seen += [post.id for post in await client.get_mentions(since_id=seen[-1])]
            return [str(first.id), *said], [str(one) for one in seen]

    said, seen = asyncio.run(live())

    assert seen == said
