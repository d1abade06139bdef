"""What a search finds in conversations, in a database of either kind of storage."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
from tests.lent_storages import LendStorage

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Memory
from puppet_engine.core.settings import Settings
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.inline import InlineStorage

START = datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.fixture(params=["none", "static"])
def embedder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["threads", "inline", "postgresql"])
async def store(
    request: pytest.FixtureRequest, embedder: str, lend_storage: LendStorage
) -> AsyncGenerator[SQLiteStore]:
    clock = VirtualClock(START)
    if (request.param, embedder) == ("threads", "none"):
        storage = await lend_storage(clock=clock)
        yield SQLiteStore(Settings(), storage=storage, clock=clock)
        return
    on_server = request.param == "postgresql"
    url = request.getfixturevalue("postgresql_url") if on_server else "sqlite:///:memory:"
    make = InlineStorage if request.param == "inline" else Storage
    storage = make(url, clock=clock, ids=random_id, embedder=embedder, follows_texts=on_server)
    made = SQLiteStore(Settings(database_url=url), storage=storage, clock=clock)
    await storage.open()
    yield made
    await storage.close()


async def talk(store: SQLiteStore, name: str, *lines: tuple[str, str], days_ago: int = 0) -> None:
    for place, (speaker, text) in enumerate(lines):
        at = START - timedelta(days=days_ago) + timedelta(minutes=place)
        said = {"conversation_id": name, "speaker": speaker, "occurred_at": at.isoformat()}
        await store.add_memory("ada", Memory(content=text, metadata=said))


async def search(store: SQLiteStore, question: str, *, limit: int) -> list[str]:
    found = await store.search_memories("ada", question, limit=limit)
    return [memory.content for memory in found]


async def test_an_answer_that_shares_no_word_comes_with_the_turn_before_it(
    store: SQLiteStore,
) -> None:
    for number in range(15):
        await talk(store, f"other {number}", ("tom", f"It rained, day {number}"))
    await talk(store, "dogs", ("ada", "What do you call your dog?"), ("mira", "Biscuit"))
    for number in range(15):
        await talk(store, f"more {number}", ("tom", f"It snowed, day {number}"))

    found = await search(store, "dog", limit=2)

    assert set(found) == {"What do you call your dog?", "Biscuit"}


async def test_turns_of_talks_that_are_interwoven_stay_apart(store: SQLiteStore) -> None:
    for asked, answered in (("the dog", "Biscuit"), ("the cat", "Pepper")):
        await talk(store, asked, ("ada", f"How do you call {asked}?"))
        await talk(store, f"not {asked}", ("tom", "It rains"))
        await talk(store, asked, ("mira", answered))

    assert "Biscuit" in await search(store, "dog", limit=2)
    assert "Pepper" in await search(store, "cat", limit=2)


async def test_of_two_that_say_the_same_the_later_comes_first(store: SQLiteStore) -> None:
    await talk(store, "one", ("mira", "I live in Ghent"), days_ago=90)
    await talk(store, "two", ("mira", "I live in Leeds"), days_ago=1)

    assert (await search(store, "live", limit=2))[0] == "I live in Leeds"


async def test_what_was_forgotten_is_found_no_more_nor_by_the_turn_before(
    store: SQLiteStore,
) -> None:
    await talk(store, "dogs", ("ada", "What do you call your dog?"), ("mira", "Biscuit"))
    assert len(await search(store, "dog", limit=5)) == 2
    gone = next(m for m in await store.get_memories("ada") if m.content == "Biscuit")

    await store.delete_memory("ada", gone.id)

    assert await search(store, "dog Biscuit", limit=5) == ["What do you call your dog?"]
