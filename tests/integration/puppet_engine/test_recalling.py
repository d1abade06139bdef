"""What is read of memories to weigh them, on both databases."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.models import Memory
from puppet_engine.core.settings import Settings
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage import memories
from puppet_engine.storage.gateway import Proposals, Storage
from puppet_engine.storage.memories import Found, Sought
from timber.common.vector.steps import Steps, taken

pytestmark = pytest.mark.integration

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'life.db'}"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
async def storage(url: str) -> AsyncIterator[Storage]:
    storage = Storage(url, clock=VirtualClock(NOON), ids=seeded_ids(1), follows_texts=True)
    await storage.open()
    yield storage
    await storage.close()


async def keep(storage: Storage, agent: str, content: str, **said: Any) -> int:
    """Keep a memory, and return its place."""
    key = await memories.keep(storage, agent, Memory(content=content, metadata=said))
    table = storage.model("Memory").__table__

    def place(session: Any) -> int:
        return int(session.scalar(table.select().where(table.c.id == key)) or 0)

    return await storage.read(place)


async def weighed(storage: Storage, agent: str, **sought: Any) -> dict[int, Found]:
    """Return what is weighed of an agent's memories, by its place."""
    seen: list[Found] = []

    def choose(found: list[Found]) -> list[int]:
        seen[:] = found
        return []

    few: dict[str, Any] = {"depth": 5, "with_talk": 5, "newest": 0, "in_span": 2}
    await memories.recalled(storage, agent, Sought(**{**few, **sought}), choose)
    return {one.place: one for one in seen}


async def test_around_what_matches_stand_the_turns_of_its_talk_alone(storage: Storage) -> None:
    talk = [
        await keep(storage, "ada", said, conversation_id="a", speaker="bob")
        for said in ("One", "Two", "The kettle", "Four", "Five", "Six")
    ]
    await keep(storage, "ada", "Another talk", conversation_id="b")
    await keep(storage, "bob", "Somebody else's", conversation_id="a")

    found = await weighed(storage, "ada", query="kettle")

    assert [*found] == talk[1:5]
    assert found[talk[2]].near == {-1: talk[1], 1: talk[3], 2: talk[4]}
    assert found[talk[3]].near == {}
    assert {one.content for one in found.values()} == {"Two", "The kettle", "Four", "Five"}
    assert {one.speaker for one in found.values()} == {"bob"}


async def test_of_a_time_that_is_named_the_newest_are_weighed_with_what_is_around_them(
    storage: Storage,
) -> None:
    days = [
        await keep(
            storage,
            "ada",
            f"Day {number}",
            conversation_id="diary",
            occurred_at=(NOON - timedelta(days=number)).isoformat(),
        )
        for number in range(8, 0, -1)
    ]
    first, second = (
        (NOON - timedelta(days=begin), NOON - timedelta(days=begin - 3)) for begin in (8, 4)
    )

    found = await weighed(storage, "ada", query="?", spans=[first, second])

    # Days 8 to 6, and 4 to 2: the two newest of each, the one before them and the two after.
    assert [one.content for one in found.values()] == [f"Day {one}" for one in range(8, 0, -1)]
    assert {place for place, one in found.items() if one.near} == {
        *days[1:3],
        *days[5:7],
    }
    assert found[days[1]].moment == NOON - timedelta(days=7)


async def test_what_is_another_agents_by_now_is_not_weighed(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    adas = await keep(storage, "ada", "A secret", conversation_id="a")
    bobs = await keep(storage, "bob", "No secret", conversation_id="a")

    async def propose(
        query: str, *, owner: str, depth: int, weigh: Callable[[Proposals], Steps[Any]]
    ) -> Any:
        del query, owner, depth
        proposals = {"text": {str(adas): 1.0, str(bobs): 0.5}}
        return await storage.read(lambda session: taken(session.connection(), weigh(proposals)))

    monkeypatch.setattr(storage, "propose", propose)

    assert [*await weighed(storage, "bob", query="secret")] == [bobs]


async def test_what_answers_comes_whole_in_the_order_of_the_choice(url: str) -> None:
    store = SQLiteStore(Settings(database_url=url), clock=VirtualClock(NOON))
    await store.initialize()
    details = {"n": [1, None], "speaker": "bob", "occurred_at": NOON.isoformat()}
    for content in ("The kettle is blue", "It rains"):
        await store.add_memory("ada", Memory(content=content, importance=0.3, metadata=details))

    found = await store.search_memories("ada", "kettle", limit=2)

    assert [one.content for one in found] == ["The kettle is blue", "It rains"]
    assert found == [
        one
        for said in ("The kettle is blue", "It rains")
        for one in await store.get_memories("ada")
        if one.content == said
    ]
    assert found[0].created_at == NOON
    await store.close()


async def test_who_names_hundreds_of_days_is_answered_too(url: str) -> None:
    store = SQLiteStore(Settings(database_url=url), clock=VirtualClock(NOON))
    await store.initialize()
    await store.add_memory("ada", Memory(content="The kettle is blue"))
    days = (NOON - timedelta(days=number) for number in range(600))

    found = await store.search_memories("ada", " ".join(f"{day:%Y-%m-%d}" for day in days))

    assert [one.content for one in found] == ["The kettle is blue"]
    await store.close()


async def test_however_many_statements_differ_by_numbers_few_are_known(storage: Storage) -> None:
    await keep(storage, "ada", "The kettle is blue")
    for newest in range(1, 200):
        assert len(await weighed(storage, "ada", query="kettle", newest=newest)) == 1

    assert len(storage._selecting) <= 64
