"""Locks of agents among processes: each has a connection of its own to one PostgreSQL."""

import asyncio
from collections.abc import AsyncGenerator

import psycopg
import pytest

from puppet_engine.core.errors import StorageError
from puppet_engine.storage.agent_locks import SharedAgentLocks, libpq_url

pytestmark = pytest.mark.integration


@pytest.fixture
async def here(postgresql_url: str) -> AsyncGenerator[SharedAgentLocks]:
    locks = SharedAgentLocks(postgresql_url)
    yield locks
    await locks.close()


@pytest.fixture
async def there(postgresql_url: str) -> AsyncGenerator[SharedAgentLocks]:
    locks = SharedAgentLocks(postgresql_url)
    yield locks
    await locks.close()


async def test_an_agent_is_held_by_one_process_at_a_time(
    here: SharedAgentLocks, there: SharedAgentLocks
) -> None:
    seen: list[str] = []

    async def act(agent: str, name: str) -> None:
        async with there.hold(agent):
            seen.append(name)

    async with here.hold("ada"):
        waiting = asyncio.create_task(act("ada", "second"))
        await act("bob", "first")
        assert not waiting.done()
    await waiting

    assert seen == ["first", "second"]


async def test_who_gives_up_waiting_leaves_no_lock_behind(
    here: SharedAgentLocks, there: SharedAgentLocks
) -> None:
    async def act() -> None:
        async with there.hold("ada"):
            raise AssertionError("it is held elsewhere")

    async with here.hold("ada"):
        impatient = asyncio.create_task(act())
        await asyncio.sleep(0.05)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)

    async with here.hold("ada"):
        assert impatient.cancelled()


async def test_the_locks_of_a_process_end_with_its_connection(
    here: SharedAgentLocks, there: SharedAgentLocks, postgresql_url: str
) -> None:
    async with here.hold("ada"):
        with psycopg.connect(libpq_url(postgresql_url), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'puppets locks, %' AND datname = current_database()"
            )
        async with asyncio.timeout(5), there.hold("ada"):
            pass
        # The next question finds out, and the one after it is asked on a new connection.
        with pytest.raises(StorageError, match="cannot be had"):
            async with here.hold("bob"):
                pass
    async with here.hold("bob"):
        pass
