"""An engine begins with the keys of its database, or not at all; and can be sealed anywhere."""

import base64
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from tests.unit.storage.test_outdated_database import follow_what_is_said, models_in_clear

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import StorageError
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Memory
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.memories import keep, newest
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
MARKER = "xyzzycanary"


def a_storage(url: str) -> Storage:
    return Storage(url, clock=VirtualClock(START), ids=random_id)


async def remember(folder: Path, name: str) -> Storage:
    """Return a closed storage with one memory in it."""
    storage = a_storage(f"sqlite:///{folder / name}")
    await storage.open()
    await keep(storage, "ada", Memory(content=MARKER))
    await storage.close()
    return storage


async def refused(folder: Path, why: str) -> None:
    """Assert that a life does not begin, and says why."""
    storage = a_storage(f"sqlite:///{folder}/life.db")
    with pytest.raises(StorageError, match=why):
        await storage.open()
    assert not storage.is_open


async def test_without_its_keys_a_life_does_not_begin_and_goes_on_when_they_are_back(
    tmp_path: Path,
) -> None:
    storage = await remember(tmp_path, "life.db")
    keys, away = tmp_path / "life.db.keys", tmp_path / "away"
    keys.rename(away)

    with pytest.raises(StorageError, match="restore it from its backup"):
        await storage.open()

    assert not storage.is_open
    assert not keys.exists()  # new ones would open nothing
    away.rename(keys)
    await storage.open()
    assert [one.content for one in await newest(storage, "ada", limit=2)] == [MARKER]
    await storage.close()


async def test_with_the_keys_of_another_a_life_does_not_begin(tmp_path: Path) -> None:
    await remember(tmp_path, "life.db")
    await remember(tmp_path, "other.db")
    shutil.rmtree(tmp_path / "life.db.keys")
    shutil.copytree(tmp_path / "other.db.keys", tmp_path / "life.db.keys")

    await refused(tmp_path, "say in `keystore` where that one is")


async def test_with_another_master_key_a_life_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remember(tmp_path, "life.db")
    monkeypatch.setenv("TIMBER_MASTER_KEY", base64.b64encode(bytes(range(32))).decode())

    await refused(tmp_path, "is not the one of this keystore")


async def test_in_production_no_keys_are_made_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMBER_ENVIRONMENT", "production")

    await refused(tmp_path, "in production none are made by themselves")

    assert not (tmp_path / "life.db.keys").exists()


async def test_on_postgresql_too_the_commands_that_are_named_seal_what_was_in_clear(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIMBER_KEYSTORE", f"file:{tmp_path}/keys")
    settings = TimberSettings(
        database_url=postgresql_url,
        model_config_dirs=(models_in_clear(tmp_path / "before"),),
        embedder="none",
    )
    with Timber().opened(settings) as timber, timber.database.session_scope() as session:
        memory = timber.models.get("Memory")
        session.add_all(
            memory(
                id=f"memory {number}",
                agent_id="ada",
                type="general",
                content=f"@bob said to me: {MARKER}",
                importance=0.5,
                details={"own_words": MARKER},
                created_at=START,
            )
            for number in range(3)
        )
    assert MARKER in written_in(postgresql_url)
    storage = a_storage(postgresql_url)

    await follow_what_is_said(storage)
    memories = await newest(storage, "ada", limit=9)
    await storage.close()

    assert [one.content for one in memories] == [f"@bob said to me: {MARKER}"] * 3
    assert [one.metadata["own_words"] for one in memories] == [MARKER] * 3
    assert MARKER not in written_in(postgresql_url)


def written_in(url: str) -> str:
    """Return what the table of memories and the pieces of its texts hold, as text."""
    engine = create_engine(url)
    with engine.connect() as connection:
        tables = ("memories", "vector_chunks", "vector_words")
        rows = [
            connection.scalars(text(f"SELECT CAST(one AS text) FROM {table} AS one")).all()
            for table in tables
        ]
    engine.dispose()
    return "\n".join(str(row) for some in rows for row in some)
