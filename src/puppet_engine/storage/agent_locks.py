"""Who holds an agent or an account: locks among processes, which end with their holder."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncGenerator
from typing import Any, ClassVar, Final, LiteralString

from psycopg import AsyncConnection, Error as DriverError
from sqlalchemy import make_url
from typing_extensions import override

from puppet_engine.core.agent_locks import AgentLocks, LocalAgentLocks
from puppet_engine.core.errors import StorageError

log = logging.getLogger(__name__)

TAKE: Final = "SELECT pg_try_advisory_lock(hashtextextended('puppet_engine.agent ' || %s, 0))"
GIVE_BACK: Final = "SELECT pg_advisory_unlock(hashtextextended('puppet_engine.agent ' || %s, 0))"

NOTICE_SILENCE: Final = """
    SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3
"""
"""Has the server itself ask whether we are there: a machine that vanished says nothing.

By TCP's own defaults the server would keep its locks for two hours.
"""

LONGEST_WAIT_SECONDS: Final = 0.5
"""How long who waits for another process's lock sleeps at the most before it looks again."""


class SharedAgentLocks(AgentLocks):
    """One holder per agent or account among all processes that share a PostgreSQL.

    All locks of a process live on one connection: when it breaks, the process dies or its machine
    is lost, the server lets go of them.
    Within the process tasks wait in the order in which they came; among processes a lock is
    hardly ever fought for, so who finds it taken looks again, ever less often.
    """

    are_shared: ClassVar[bool] = True

    def __init__(self, database_url: str) -> None:
        self._conninfo = libpq_url(database_url)
        self._connection: AsyncConnection[Any] | None = None
        self._connecting = asyncio.Lock()
        self._here = LocalAgentLocks()

    @override
    @contextlib.asynccontextmanager
    async def hold(self, agent_id: str) -> AsyncGenerator[None]:
        """Hold an agent for the length of a block.

        Raises:
            StorageError: the database cannot be reached.

        """
        async with self._here.hold(agent_id):
            connection = await self._take(agent_id)
            try:
                yield
            finally:
                await self._give_back(connection, agent_id)

    @override
    def hold_here(self, agent_id: str) -> contextlib.AbstractAsyncContextManager[None]:
        return self._here.hold(agent_id)

    async def close(self) -> None:
        """Let go of everything. Calling it again does nothing."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _take(self, agent_id: str) -> AsyncConnection[Any]:
        wait_seconds = 0.005
        while True:
            connection = await self._connected()
            if await self._try(connection, agent_id):
                return connection
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(wait_seconds * 2, LONGEST_WAIT_SECONDS)

    async def _try(self, connection: AsyncConnection[Any], agent_id: str) -> bool:
        taking = asyncio.ensure_future(_answer(connection, TAKE, agent_id))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            # Who leaves now must not leave a lock behind that nobody gives back.
            await asyncio.wait({taking})
            if taking.exception() is None and taking.result():
                await self._give_back(connection, agent_id)
            raise

    async def _give_back(self, connection: AsyncConnection[Any], agent_id: str) -> None:
        if connection.closed:
            log.warning("the lock of agent %s ended with its connection", agent_id)
            return
        await asyncio.shield(_answer(connection, GIVE_BACK, agent_id))

    async def _connected(self) -> AsyncConnection[Any]:
        async with self._connecting:
            if self._connection is None or self._connection.closed:
                try:
                    connection = await AsyncConnection.connect(
                        self._conninfo, autocommit=True, application_name=connection_name("locks")
                    )
                    await connection.execute(NOTICE_SILENCE)
                    self._connection = connection
                except DriverError as error:
                    raise StorageError(f"no lock can be had: {error}") from error
            return self._connection


async def _answer(
    connection: AsyncConnection[Any], question: LiteralString, agent_id: str
) -> bool:
    try:
        cursor = await connection.execute(question, [agent_id])
        row = await cursor.fetchone()
    except DriverError as error:
        await connection.close()
        raise StorageError(f"the lock of agent {agent_id!r} cannot be had: {error}") from error
    return bool(row and row[0])


def connection_name(purpose: str) -> str:
    """Return what PostgreSQL is to show of a connection: whose it is, in 63 bytes at the most."""
    return f"puppets {purpose}, process {os.getpid()} on {socket.gethostname()}"[:63]


def libpq_url(database_url: str) -> str:
    """Return an SQLAlchemy URL as the driver itself reads it."""
    url = make_url(database_url).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)
