"""What every memory store promises, of all that are there; PostgreSQL is in the integration."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.fakes import FakeMemoryStore
from tests.lent_storages import LendStorage

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import MemoryNotFoundError, NotRunningError
from puppet_engine.core.models import Memory, MemoryType
from puppet_engine.core.settings import Settings
from puppet_engine.memory.base import MemoryStore
from puppet_engine.memory.sqlite_store import SQLiteStore

START = datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture(params=["fake", "in memory", "file"])
async def store(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    clock: VirtualClock,
    lend_storage: LendStorage,
) -> AsyncGenerator[MemoryStore]:
    made: MemoryStore
    match request.param:
        case "fake":
            made = FakeMemoryStore(clock)
        case "in memory":
            storage = await lend_storage(clock=clock)
            made = SQLiteStore(Settings(), storage=storage, clock=clock)
        case _:  # a storage of its own
            url = f"sqlite:///{tmp_path}/memories.db"
            made = SQLiteStore(Settings(database_url=url), clock=clock)
    await made.initialize()
    yield made
    await made.close()


async def test_a_memory_comes_back_as_it_was_kept(store: MemoryStore) -> None:
    memory = Memory(
        content="Tea, at four — ünïcödé 🍵",
        type=MemoryType.INTERACTION,
        importance=0.25,
        metadata={"speaker": "bob", "nested": {"list": [1, 2.5, None, True]}},
    )

    memory_id = await store.add_memory("ada", memory)

    (kept,) = await store.get_memories("ada")
    assert kept.id == memory_id
    assert (kept.agent_id, kept.created_at) == ("ada", START)
    assert Memory(**kept.model_dump(include=set(Memory.model_fields))) == memory


async def test_memories_come_newest_first_even_of_one_moment(
    store: MemoryStore, clock: VirtualClock
) -> None:
    for number in range(4):
        await store.add_memory("ada", Memory(content=f"memory {number}"))
        clock.advance(timedelta(hours=number % 2))

    newest = await store.get_memories("ada", limit=3)

    assert [memory.content for memory in newest] == ["memory 3", "memory 2", "memory 1"]


async def test_agents_do_not_share_memories(store: MemoryStore) -> None:
    await store.add_memory("ada", Memory(content="a secret"))

    assert await store.get_memories("bob") == []
    assert await store.search_memories("bob", "secret") == []


async def test_what_answers_the_cue_comes_to_mind_first(store: MemoryStore) -> None:
    for content in ("It rains", "The kettle is blue", "It rains again"):
        await store.add_memory("ada", Memory(content=content))

    found = await store.search_memories("ada", "which colour has the kettle?", limit=2)

    assert found[0].content == "The kettle is blue"
    assert len(found) == 2


async def test_what_was_just_written_is_found_by_its_words(store: MemoryStore) -> None:
    for number in range(12):
        await store.add_memory("ada", Memory(content=f"the parcel KX-{number} came"))

        (found,) = await store.search_memories("ada", f"where is KX-{number}", limit=1)

        assert found.content == f"the parcel KX-{number} came"


async def test_something_comes_to_mind_at_any_cue(store: MemoryStore) -> None:
    for number in range(3):
        await store.add_memory("ada", Memory(content=f"memory {number}"))

    for cue in ("", " ", "nothing alike", '"(*:', "\ud800", "memory " * 400):
        assert len(await store.search_memories("ada", cue, limit=10)) == 3
        assert len(await store.search_memories("ada", cue, limit=2)) == 2
    assert await store.search_memories("ada", "memory", limit=0) == []


async def test_a_moment_that_is_none_is_refused_before_anything_is_kept() -> None:
    with pytest.raises(ValueError, match="occurred_at is 'soon': give a moment by ISO 8601"):
        Memory(content="x", metadata={"occurred_at": "soon"})


async def test_a_forgotten_memory_is_gone(store: MemoryStore) -> None:
    memory_id = await store.add_memory("ada", Memory(content="forget me"))
    kept = await store.add_memory("ada", Memory(content="keep me"))

    await store.delete_memory("ada", memory_id)

    assert [memory.id for memory in await store.get_memories("ada")] == [kept]


@pytest.mark.parametrize("owner", ["ada", "bob"])
async def test_forgetting_what_one_never_knew_is_an_error(store: MemoryStore, owner: str) -> None:
    memory_id = await store.add_memory("cy", Memory(content="not theirs"))

    with pytest.raises(MemoryNotFoundError, match=owner):
        await store.delete_memory(owner, memory_id)
    assert len(await store.get_memories("cy")) == 1


async def test_memories_added_at_once_are_all_kept(store: MemoryStore) -> None:
    added = await asyncio.gather(
        *(store.add_memory("ada", Memory(content=f"memory {n}")) for n in range(40))
    )

    assert len(set(added)) == 40
    assert {memory.id for memory in await store.get_memories("ada", limit=99)} == set(added)


async def test_two_stores_in_memory_never_share_rows() -> None:
    one, other = (SQLiteStore(Settings(database_url="sqlite:///:memory:")) for _ in range(2))
    await one.initialize()
    await other.initialize()

    await one.add_memory("ada", Memory(content="mine"))

    assert await other.get_memories("ada") == []
    await one.close()
    await other.close()


async def test_a_store_used_too_early_names_the_cure() -> None:
    store = SQLiteStore(Settings(database_url="sqlite:///:memory:"))

    with pytest.raises(NotRunningError, match=r"await open\(\) first"):
        await store.get_memories("ada")


async def test_memories_outlive_the_process(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/memories.db")
    before = SQLiteStore(settings)
    await before.initialize()
    await before.add_memory("ada", Memory(content="still here"))
    await before.close()

    after = SQLiteStore(settings)
    await after.initialize()

    assert [memory.content for memory in await after.get_memories("ada")] == ["still here"]
    await after.close()
