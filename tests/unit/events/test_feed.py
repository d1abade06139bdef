"""Who listens, and what happens to those who are too slow for it."""

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from puppet_engine.core.errors import FellBehindError
from puppet_engine.core.ids import EventId
from puppet_engine.core.models import Event
from puppet_engine.events.feed import Feed


def event(number: int, kind: str = "noted") -> Event:
    due_at = datetime(2026, 1, 5, tzinfo=UTC)
    return Event(id=EventId(f"e{number}"), sequence=number, type=kind, due_at=due_at)


async def test_a_listener_is_told_in_order_of_its_type_alone() -> None:
    feed = Feed()
    heard: list[int] = []

    async def hear(event: Event) -> None:
        await asyncio.sleep(0)
        heard.append(event.sequence)

    feed.subscribe("noted", hear)
    for number in range(100):
        feed.tell(event(number, "noted" if number % 2 else "other"))
    await feed.drain()

    assert heard == list(range(1, 100, 2))


async def test_a_listener_that_hangs_holds_no_more_than_its_buffer_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    feed = Feed(buffer=10)
    told: list[int] = []
    go_on = asyncio.Event()

    async def hang(event: Event) -> None:
        told.append(event.sequence)
        await go_on.wait()

    feed.subscribe("*", hang)
    with caplog.at_level(logging.ERROR):
        for number in range(25):
            feed.tell(event(number))
        go_on.set()
        await feed.drain()

    assert told == list(range(10))
    assert "10 events behind and misses what comes" in caplog.text


async def test_a_listener_is_told_on_after_what_it_waited_for_was_cancelled() -> None:
    feed = Feed()
    heard: list[int] = []

    async def wait_for_nothing(event: Event) -> None:
        heard.append(event.sequence)
        never = asyncio.get_running_loop().create_future()
        never.cancel()
        await never

    feed.subscribe("*", wait_for_nothing)
    feed.tell(event(1))
    feed.tell(event(2))
    await feed.drain()
    feed.tell(event(3))
    await feed.drain()

    assert heard == [1, 2, 3]


async def test_the_end_of_a_subscription_ends_a_listener_that_hangs() -> None:
    feed = Feed()
    told = asyncio.Event()
    ended: list[int] = []

    async def hang(event: Event) -> None:
        told.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(event.sequence)

    end = feed.subscribe("*", hang)
    feed.tell(event(1))
    feed.tell(event(2))
    await told.wait()
    end()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert ended == [1]


async def test_after_an_unsubscription_nothing_is_told() -> None:
    feed = Feed()
    heard: list[Event] = []

    async def hear(event: Event) -> None:
        heard.append(event)

    feed.subscribe("*", hear)()
    feed.tell(event(1))
    await feed.drain()

    assert heard == []


async def test_a_view_gives_what_happens_while_it_is_open() -> None:
    feed = Feed()
    feed.tell(event(1))
    async with feed.watch() as events:
        feed.tell(event(2))
        feed.tell(event(3))

        assert [(await anext(events)).sequence for _ in range(2)] == [2, 3]


async def test_who_watches_too_slowly_is_told_so_instead_of_missing_some() -> None:
    feed = Feed(buffer=3)
    async with feed.watch() as events:
        for number in range(4):
            feed.tell(event(number))

        with pytest.raises(FellBehindError, match="more than 3 events"):
            await anext(events)


async def test_one_slow_watcher_harms_no_other() -> None:
    feed = Feed(buffer=3)
    async with feed.watch() as slow, feed.watch() as quick:
        seen = []
        for number in range(9):
            feed.tell(event(number))
            seen.append((await anext(quick)).sequence)

        assert seen == list(range(9))
        with pytest.raises(FellBehindError):
            await anext(slow)
