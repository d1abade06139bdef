"""What one process tells the others that share a PostgreSQL: which events are over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from psycopg import AsyncConnection, Error as DriverError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from puppet_engine.core.models import Event
from puppet_engine.storage.agent_locks import connection_name, libpq_url
from puppet_engine.storage.event_rows import events_of
from puppet_engine.storage.gateway import Storage

log = logging.getLogger(__name__)

CHANNEL: Final = "puppet_engine_over"

AT_ONCE: Final = 300
"""How many events one notice names: its text may have 8,000 bytes."""

RETRY_SECONDS: Final = 1

Hear = Callable[[list[Event]], Awaitable[None]]


class Notices:
    """Notices about events that are over, from this process to all others and back.

    As with every live view, what is over while a connection is broken is missed;
    the history has it.
    """

    def __init__(self, storage: Storage, database_url: str, *, sender: str) -> None:
        self._storage = storage
        self._conninfo = libpq_url(database_url)
        self._sender = sender
        self._listener: asyncio.Task[None] | None = None

    async def tell(self, events: Sequence[Event]) -> None:
        """Tell every other process that events are over."""
        for start in range(0, len(events), AT_ONCE):
            numbers = ",".join(str(event.sequence) for event in events[start : start + AT_ONCE])
            notice = select(func.pg_notify(CHANNEL, f"{self._sender}:{numbers}"))

            def work(session: Session, notice: object = notice) -> None:
                session.execute(notice)  # type: ignore[call-overload]

            await self._storage.run(work)

    async def listen(self, hear: Hear) -> None:
        """Call `hear` with what others tell from now on; returns when that is so."""
        connection = await self._connect()
        self._listener = asyncio.create_task(self._listen(connection, hear), name="notices")

    async def close(self) -> None:
        """Listen no more. Calling it again does nothing."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
            self._listener = None

    async def _connect(self) -> AsyncConnection[tuple[object, ...]]:
        connection = await AsyncConnection.connect(
            self._conninfo, autocommit=True, application_name=connection_name("notices")
        )
        await connection.execute(f"LISTEN {CHANNEL}")
        return connection

    async def _listen(self, connection: AsyncConnection[tuple[object, ...]], hear: Hear) -> None:
        while True:
            try:
                async with connection:
                    async for notice in connection.notifies():
                        sender, _, numbers = notice.payload.partition(":")
                        if sender != self._sender:
                            await hear(await self._read([int(n) for n in numbers.split(",")]))
            except DriverError as error:
                log.warning("no notices of other processes come in: %s", error)
            connection = await self._reconnected()

    async def _reconnected(self) -> AsyncConnection[tuple[object, ...]]:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            try:
                return await self._connect()
            except DriverError as error:
                log.warning("still no notices of other processes: %s", error)

    async def _read(self, numbers: list[int]) -> list[Event]:
        model = self._storage.model("Event")
        query = select(model.__table__).where(
            model.sequence.in_(numbers), model.settled_as.is_not(None)
        )
        return await self._storage.read(
            lambda session: events_of(session, self._storage, query.order_by(model.settled_as))
        )
