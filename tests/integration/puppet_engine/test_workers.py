"""What a process must bring to join others, and what it is told when it does not."""

import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from rich.console import Console
from tests.e2e.puppets import environment

from puppet_engine.core.clock import PacedClock, SystemClock
from puppet_engine.core.errors import ConfigurationError, EngineUnavailableError
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import EventDraft
from puppet_engine.core.settings import Settings
from puppet_engine.main import create_app
from puppet_engine.run import work
from puppet_engine.storage.beginnings import common_beginning
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.wakeups import Wakeups
from puppet_engine.workers import join_workers

pytestmark = pytest.mark.integration

WITHOUT_THE_EXTRA = """
import sys
sys.modules["restate"] = None
from puppet_engine.core.errors import ConfigurationError
try:
    import puppet_engine.events.restate_engine
except ConfigurationError as error:
    print(error)
"""


def settings(database_url: str, tmp_path: Path, **more: object) -> Settings:
    return Settings.model_validate(
        {
            "engine": "restate",
            "database_url": database_url,
            "world_database_url": f"sqlite:///{tmp_path}/world.db",
            "worker_port": 0,
            "restate_admin_url": "http://127.0.0.1:9",
            **more,
        }
    )


def test_without_the_extra_the_cure_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_EXTRA],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert "'restate'" in done.stdout
    assert "pip install 'puppet-engine[scale]'" in done.stdout


async def test_a_worker_without_restate_says_where_it_looked(
    postgresql_url: str, tmp_path: Path
) -> None:
    app = create_app(settings(postgresql_url, tmp_path))

    with pytest.raises(EngineUnavailableError, match=r"127\.0\.0\.1:9/deployments.*start it"):
        await app.startup()

    await app.shutdown()


async def test_many_machines_share_a_postgresql(tmp_path: Path) -> None:
    app = create_app(settings(f"sqlite:///{tmp_path}/a.db", tmp_path))

    with pytest.raises(ConfigurationError, match="PUPPET_DATABASE_URL"):
        await app.startup()

    await app.shutdown()


async def test_a_worker_of_one_process_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PUPPET_ENGINE"):
        await work(Settings(database_url=f"sqlite:///{tmp_path}/a.db"), console=Console())


async def test_a_worker_that_anybody_reaches_needs_a_key(
    postgresql_url: str, tmp_path: Path
) -> None:
    storage = Storage(postgresql_url, clock=SystemClock(), ids=random_id)
    open_to_all = settings(postgresql_url, tmp_path, worker_host="0.0.0.0")

    async with AsyncExitStack() as parts:
        with pytest.raises(ConfigurationError, match="PUPPET_RESTATE_IDENTITY_KEY"):
            await join_workers(parts, open_to_all, storage, StoredEvents(storage))


async def test_a_life_keeps_its_speed(postgresql_url: str) -> None:
    storage = Storage(postgresql_url, clock=SystemClock(), ids=random_id)
    await storage.open()
    first, late = (PacedClock(SystemClock(), pace=60) for _ in range(2))

    beginning = await common_beginning(storage, first)

    assert await common_beginning(storage, late) == beginning
    with pytest.raises(ConfigurationError, match="60 times as fast"):
        await common_beginning(storage, PacedClock(SystemClock(), pace=1))
    await storage.close()


async def test_every_event_leaves_a_wakeup_until_it_is_handed_over(postgresql_url: str) -> None:
    clock = SystemClock()
    storage = Storage(postgresql_url, clock=clock, ids=random_id)
    await storage.open()
    events, wakeups = StoredEvents(storage), Wakeups(storage)
    draft = EventDraft(type="noted", due_at=clock.now(), agent_id="ada")
    (before,) = await events.append([draft])
    await wakeups.install()
    await wakeups.install()
    (after,) = await events.append([draft])
    assert [event.id for event in await wakeups.waiting(limit=9)] == [before.id, after.id]

    later = after.model_copy(update={"due_at": clock.now(), "failures": 1})
    await events.postpone(later, error="not yet")
    await wakeups.handed_over([before, after])

    # The one that was postponed meanwhile has to come again.
    assert [event.failures for event in await wakeups.waiting(limit=9)] == [1]
    await events.settle(later)
    assert await wakeups.waiting(limit=9) == []
    await wakeups.remove()
    await events.append([draft])
    assert await wakeups.waiting(limit=9) == []
    await storage.close()
