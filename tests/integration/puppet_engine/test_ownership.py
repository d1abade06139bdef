"""One engine at a time on PostgreSQL, proved with two processes and a connection that is cut."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from tests.unit.storage.test_ownership import another_process, hold

from puppet_engine.core.errors import ConfigurationError, StorageError
from puppet_engine.core.settings import Settings
from puppet_engine.main import create_app
from puppet_engine.storage.ownership import sole_owner

pytestmark = pytest.mark.integration

SINCE = datetime(2026, 1, 5, 6, tzinfo=UTC)
CUT = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name LIKE 'puppets,%' AND datname = current_database()"
)


def cut(url: str) -> None:
    """End the connections that hold the database, as an administrator or a fail-over does."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        assert connection.execute(CUT).all() == [(True,)]
    engine.dispose()


async def test_a_schema_that_another_process_holds_is_refused_with_its_name(
    postgresql_url: str,
) -> None:
    with another_process(postgresql_url) as process:
        with pytest.raises(
            ConfigurationError, match=rf"another engine.*schema public.*process {process.pid} on "
        ):
            await hold(postgresql_url)
        process.kill()
        process.wait()
        for _ in range(100):  # until the server has noticed
            try:
                await hold(postgresql_url)
                break
            except ConfigurationError:
                await asyncio.sleep(0.05)

        await hold(postgresql_url)


async def test_who_loses_the_connection_is_told(postgresql_url: str) -> None:
    told: asyncio.Future[StorageError] = asyncio.get_running_loop().create_future()

    async with sole_owner(postgresql_url, since=SINCE, on_loss=told.set_result):
        cut(postgresql_url)
        reason = await asyncio.wait_for(told, 10)

    assert "the hold on" in str(reason)
    assert "start it again" in str(reason)


async def test_an_engine_that_loses_its_database_stops_and_writes_no_more(
    postgresql_url: str, tmp_path: Path
) -> None:
    settings = Settings(
        database_url=postgresql_url,
        world_database_url=f"sqlite:///{tmp_path}/world.db",
        agents_dir=Path("config/agents"),
    )
    app = create_app(settings)
    await app.startup()

    cut(postgresql_url)

    with pytest.raises(StorageError, match=r"the hold on .* is lost"):
        await asyncio.wait_for(app.event_engine.join(), 10)
    with pytest.raises(StorageError, match=r"the hold on .* is lost"):
        await app.event_engine.publish()
    await app.shutdown()


async def test_what_is_shared_is_shared_with_those_who_share_it(postgresql_url: str) -> None:
    async with sole_owner(postgresql_url, since=SINCE, on_loss=print, shared=True):
        async with sole_owner(postgresql_url, since=SINCE, on_loss=print, shared=True):
            pass
        with pytest.raises(ConfigurationError, match="another engine"):
            await hold(postgresql_url)

    async with sole_owner(postgresql_url, since=SINCE, on_loss=print):
        with pytest.raises(ConfigurationError, match="another engine"):
            async with sole_owner(postgresql_url, since=SINCE, on_loss=print, shared=True):
                pass
