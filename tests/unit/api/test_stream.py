"""Following a life: nothing lost, nothing twice, however often the reader comes and goes."""

import asyncio
import contextlib
import re

import pytest
from hypothesis import given, strategies as st
from starlette.testclient import TestClient
from tests.fake_life import FakeFeed

from puppet_engine.api import stream
from puppet_engine.api.stream import Batch, Pace, follow

QUICK = Pace(frame_seconds=0, idle_seconds=0.01)


async def followed(feed: FakeFeed, *, after: int | None) -> list[int]:
    batches = [batch async for batch in follow(feed, after=after, pace=QUICK)]
    return [event.sequence for batch in batches for event in batch.events]


def ids(text: str) -> list[str]:
    return re.findall(r"^id: (\d+)$", text, re.MULTILINE)


def test_a_reader_is_sent_each_event_with_its_number(client: TestClient, feed: FakeFeed) -> None:
    feed.say("1", "one")
    feed.say("2", "line\nbreak")

    answer = client.get("/events/stream", params={"after": 0})

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert ids(answer.text) == ["1", "2"]
    assert r'"text":"line\nbreak"' in answer.text


def test_a_reader_resumes_after_the_last_event_it_has(client: TestClient, feed: FakeFeed) -> None:
    for number in range(1, 5):
        feed.say(str(number), "x")

    answer = client.get("/events/stream", headers={"Last-Event-ID": "2"}, params={"after": 0})

    assert ids(answer.text) == ["3", "4"]


def test_a_new_reader_is_told_where_it_begins(client: TestClient, feed: FakeFeed) -> None:
    feed.say("1", "before")

    answer = client.get("/events/stream")

    assert ids(answer.text) == ["1"]
    assert "before" not in answer.text


def test_a_reader_whose_place_is_forgotten_is_told_so(client: TestClient, feed: FakeFeed) -> None:
    feed.say("1", "x")

    answer = client.get("/events/stream", headers={"Last-Event-ID": "99"})

    assert "event: gap" in answer.text
    assert ids(answer.text) == ["1"]


@pytest.mark.parametrize("place", ["-1", "x", "1.5"])
def test_a_place_that_is_none_is_refused(client: TestClient, place: str) -> None:
    assert client.get("/events/stream", headers={"Last-Event-ID": place}).status_code == 422


async def test_an_event_between_the_view_and_the_look_back_comes_once() -> None:
    feed = FakeFeed()
    feed.say("1", "before")
    feed.meanwhile.append(feed.event("agent.wake"))
    reader = follow(feed, after=1, pace=QUICK)

    batch = await anext(reader)
    feed.close()
    later = [event async for each in reader for event in each.events]

    assert [event.sequence for event in batch.events] == [2]
    assert later == []


async def test_a_burst_comes_as_one_batch() -> None:
    feed = FakeFeed()
    reader = follow(feed, after=None, pace=Pace(frame_seconds=0.01, idle_seconds=5))
    await anext(reader)
    for number in range(50):
        feed.say(str(number), "x")

    batch = await anext(reader)

    assert len(batch.events) > 1
    await reader.aclose()


async def test_silence_is_broken_by_an_empty_batch() -> None:
    reader = follow(FakeFeed(), after=None, pace=QUICK)
    await anext(reader)

    assert await anext(reader) == Batch()
    await reader.aclose()


async def test_a_reader_that_leaves_is_forgotten() -> None:
    feed = FakeFeed()
    reader = follow(feed, after=None, pace=QUICK)
    await anext(reader)
    await anext(reader)

    await reader.aclose()

    assert feed.views == []


async def test_a_reader_that_falls_too_far_behind_is_let_go_and_can_resume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "WINDOW", 10)
    feed = FakeFeed()
    reader = follow(feed, after=None, pace=QUICK)
    await anext(reader)
    for number in range(15):
        feed.say(str(number), "x")

    got = [event.sequence async for batch in reader for event in batch.events]
    feed.close()
    rest = follow(feed, after=got[-1], pace=QUICK)
    resumed = await anext(rest)
    await rest.aclose()

    assert got == list(range(1, 11))
    assert [event.sequence for event in resumed.events] == list(range(11, 16))


async def test_an_event_planned_early_that_happens_late_is_not_passed_over() -> None:
    feed = FakeFeed(closed=True)
    planned = feed.event("agent.wake")
    said = feed.say("1", "first")
    feed.tell(planned)

    assert await followed(feed, after=said.sequence) == [planned.sequence]


@given(st.lists(st.integers(min_value=0, max_value=4), max_size=6))
def test_a_reader_that_comes_and_goes_has_every_event_once(happening: list[int]) -> None:
    async def live() -> tuple[list[int], int]:
        feed = FakeFeed()
        got: list[int] = []
        for events in happening:
            with contextlib.suppress(asyncio.TimeoutError):
                reader = follow(feed, after=got[-1] if got else 0, pace=QUICK)
                got += [event.sequence for event in (await anext(reader)).events]
                for _ in range(events):
                    feed.say("1", "x")
                if events % 2:
                    got += [event.sequence for event in (await anext(reader)).events]
                await reader.aclose()
        got += [
            event.sequence
            for event in (
                await anext(follow(feed, after=got[-1] if got else 0, pace=QUICK))
            ).events
        ]
        return got, len(feed.happened)

    got, happened = asyncio.run(live())

    assert got == list(range(1, happened + 1))
