"""What a page is sent while it is open."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.fake_life import NOON, FakeAgent, FakeAgents, FakeFeed
from typing_extensions import override

from puppet_engine.api.stream import Pace
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.models import AgentConfig, Event
from puppet_engine.dashboard.life import Life
from puppet_engine.dashboard.tally import Tally, Totals

QUICK = Pace(frame_seconds=0, idle_seconds=0.01)


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def agents() -> FakeAgents:
    return FakeAgents(agents={"alice": FakeAgent(AgentConfig(id="alice", name="Alice Ames"))})


@pytest.fixture
def feed() -> FakeFeed:
    return FakeFeed()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON, factor=60)


@pytest.fixture
def life(agents: FakeAgents, feed: FakeFeed, clock: VirtualClock) -> Life:
    return Life(agents=agents, feed=feed, clock=clock, tally=Tally(feed), pace=QUICK)


@pytest.fixture
async def frames(life: Life) -> AsyncIterator[AsyncIterator[bytes]]:
    """Follow the life as a page does that was loaded before anything happened."""
    frames = life.frames(after=0)
    assert b"retry:" in await anext(frames)
    yield frames
    await frames.aclose()


async def test_a_post_is_sent_as_html_with_the_number_of_its_event(
    frames: AsyncIterator[bytes], feed: FakeFeed
) -> None:
    feed.say("1", "good <b>morning</b>")

    frame = await anext(frames)

    assert b"good &lt;b&gt;morning&lt;/b&gt;" in frame
    assert b"id: 1\n" in frame


async def test_an_empty_line_in_a_post_does_not_end_the_message(
    frames: AsyncIterator[bytes], feed: FakeFeed
) -> None:
    feed.say("1", "good\n\nevent: gap\ndata: morning")

    frame = (await anext(frames)).decode()

    assert frame.count("\n\n") == 1
    assert frame.endswith("\n\n")
    assert "\nevent:" not in frame


async def test_the_first_frame_has_the_whole_cast_and_the_next_only_changes(
    frames: AsyncIterator[bytes], agents: FakeAgents
) -> None:
    first = await anext(frames)
    quiet = await anext(frames)
    agents.agents["alice"].is_active = False
    changed = await anext(frames)

    assert b'id="cast"' in first
    assert b'id="cast"' not in quiet
    assert b"resting" in changed


async def test_time_goes_on_when_nothing_happens(
    frames: AsyncIterator[bytes], clock: VirtualClock
) -> None:
    await anext(frames)
    clock.factor = 3600

    frame = await anext(frames)

    assert b'id="clock"' in frame
    assert b"3600" in frame


async def test_a_page_whose_place_is_forgotten_is_told_to_begin_anew(life: Life) -> None:
    frames = [frame async for frame in life.frames(after=99)]

    assert b"event: gap" in frames[-1]


async def test_a_failure_is_told_of_the_agent_it_names(
    frames: AsyncIterator[bytes], feed: FakeFeed
) -> None:
    feed.happen("agent.failed", "", agent_id="alice", error="out of reach")

    frame = await anext(frames)

    assert b"Alice Ames" in frame
    assert b"out of reach" in frame


async def test_the_tally_counts_what_was_and_what_comes_once() -> None:
    feed = FakeFeed()
    feed.say("1", "a post")
    feed.meanwhile.append(feed.event("memory.kept", handle="alice", type="core", content="x"))
    tally = Tally(feed)

    async with tally.counting():
        await settled()
        feed.say("2", "an answer", to="1")
        feed.happen("agent.wake")
        await settled()

    assert tally.totals == Totals(posts=1, replies=1, memories=1)


class BrokenFeed(FakeFeed):
    """Cannot be read."""

    @override
    async def recent(self, *, limit: int) -> list[Event]:
        raise OSError(f"the last {limit} events are gone")


async def count_a_broken_life() -> None:
    async with Tally(BrokenFeed()).counting():
        await settled()


async def test_what_ends_a_tally_early_is_not_hidden() -> None:
    with pytest.raises(OSError, match="events are gone"):
        await count_a_broken_life()
