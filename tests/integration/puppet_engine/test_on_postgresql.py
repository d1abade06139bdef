"""The engine on PostgreSQL: the same life as on SQLite, and it goes on after a restart."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.models import Memory
from puppet_engine.core.settings import Settings
from puppet_engine.main import App, create_app
from puppet_engine.memory.sqlite_store import SQLiteStore

pytestmark = pytest.mark.integration

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
CAST = Path(__file__).parents[3] / "config" / "agents"


async def live(app: App, until: datetime) -> list[str]:
    """Let the cast live until a moment, and return what was said up to then."""
    await app.assemble()
    try:
        await app.event_engine.run_until(until)
        events = await app.event_engine.recent(limit=1000, types=["post.published"])
        return [f"{event.payload['handle']}: {event.payload['text']}" for event in events]
    finally:
        await app.shutdown()


def an_app(database_url: str, world: Path) -> App:
    settings = Settings(
        database_url=database_url,
        world_database_url=f"sqlite:///{world}",
        agents_dir=CAST,
        concurrency=1,
    )
    return create_app(settings, clock=VirtualClock(START), ids=seeded_ids(1))


async def test_a_life_is_the_same_on_both_databases(postgresql_url: str, tmp_path: Path) -> None:
    until = START + timedelta(hours=2)

    on_sqlite = await live(an_app(f"sqlite:///{tmp_path}/a.db", tmp_path / "world-a.db"), until)
    on_postgresql = await live(an_app(postgresql_url, tmp_path / "world-b.db"), until)

    assert len(on_sqlite) >= 3
    assert on_sqlite == on_postgresql


async def test_a_life_on_postgresql_goes_on_after_a_restart(
    postgresql_url: str, tmp_path: Path
) -> None:
    settings = an_app(postgresql_url, tmp_path / "world.db").settings

    before = await live(
        create_app(settings, clock=VirtualClock(START)), START + timedelta(hours=1)
    )
    after = await live(create_app(settings, clock=VirtualClock(START)), START + timedelta(hours=3))

    assert before
    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert len(set(after)) == len(after)


async def test_memories_are_kept_and_found_on_postgresql(postgresql_url: str) -> None:
    store = SQLiteStore(Settings(database_url=postgresql_url))
    await store.initialize()
    for content in ("It rains", "The kettle is blue"):
        await store.add_memory("ada", Memory(content=content, metadata={"n": [1, None]}))

    (found,) = await store.search_memories("ada", "kettle", limit=1)

    assert found.content == "The kettle is blue"
    assert found.metadata == {"n": [1, None]}
    await store.close()
