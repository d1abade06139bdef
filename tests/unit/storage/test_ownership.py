import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import ConfigurationError, StorageError
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import EventDraft
from puppet_engine.core.settings import Settings
from puppet_engine.main import create_app
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ownership import sole_owner

SINCE = datetime(2026, 1, 5, 6, tzinfo=UTC)

HOLD = """
import asyncio, sys
from datetime import UTC, datetime
from puppet_engine.storage.ownership import sole_owner

async def hold():
    since = datetime(2026, 1, 5, 6, tzinfo=UTC)
    async with sole_owner(sys.argv[1], since=since, on_loss=print):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(hold())
"""


@contextmanager
def another_process(url: str) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold the database."""
    command = [sys.executable, "-c", HOLD, url]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def unlost(reason: StorageError) -> None:
    raise AssertionError(reason)


async def hold(url: str) -> None:
    async with sole_owner(url, since=SINCE, on_loss=unlost):
        pass


async def test_a_file_that_another_process_holds_is_refused_with_its_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/puppets.db"

    with another_process(url) as process:
        said = rf"another engine.*puppets\.db.*process {process.pid} on .+ since 2026-01-05T06:00Z"
        with pytest.raises(ConfigurationError, match=said):
            await hold(url)
        # Who was refused has not wiped the name of the holder out.
        with pytest.raises(ConfigurationError, match=f"process {process.pid} "):
            await hold(url)
        process.kill()
        process.wait()

        await hold(url)


async def test_the_holder_writes_its_own_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/puppets.db"

    async with sole_owner(url, since=SINCE, on_loss=unlost):
        written = (tmp_path / "puppets.db.lock").read_text(encoding="utf-8")

    assert f"process {os.getpid()} on " in written


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
async def test_what_lives_in_memory_is_not_held(url: str) -> None:
    async with sole_owner(url, since=SINCE, on_loss=unlost):
        await hold(url)


async def test_who_only_reads_needs_no_hold(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/puppets.db"
    draft = EventDraft(type="noted", due_at=SINCE)
    async with sole_owner(url, since=SINCE, on_loss=unlost):
        engines, readers = (
            Storage(url, clock=VirtualClock(SINCE), ids=random_id) for _ in range(2)
        )
        await engines.open()
        await StoredEvents(engines).append([draft])

        await readers.open()
        seen = await StoredEvents(readers).pending()

        assert [event.type for event in seen] == ["noted"]
        await readers.close()
        await engines.close()


async def test_who_has_lost_the_database_writes_no_more(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path}/a.db", clock=VirtualClock(SINCE), ids=random_id)
    await storage.open()
    events = StoredEvents(storage)

    storage.forbid_writing(StorageError("somebody else's"))

    with pytest.raises(StorageError, match="somebody else's"):
        await events.append([EventDraft(type="noted", due_at=SINCE)])
    assert await events.pending() == []
    await storage.close()


@pytest.mark.parametrize("shared", ["puppets", "world"])
async def test_a_second_engine_on_the_same_files_does_not_start(
    tmp_path: Path, shared: str
) -> None:
    def settings(puppets: str, world: str) -> Settings:
        return Settings(
            agents_dir=Path("config/agents"),
            database_url=f"sqlite:///{tmp_path}/{puppets}.db",
            world_database_url=f"sqlite:///{tmp_path}/{world}.db",
        )

    first = create_app(settings("puppets", "world"))
    other = {"puppets": "puppets-2", "world": "world-2", shared: shared}
    second = create_app(settings(**other))
    await first.assemble()

    try:
        with pytest.raises(ConfigurationError, match=f"another engine lives on .*{shared}"):
            await second.assemble()
    finally:
        await first.shutdown()

    await second.assemble()
    await second.shutdown()
