"""A person's notifications as they come. Signals only say when to look; the rows are the truth."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, select

from timber.common.database.service import DatabaseService
from timber.common.errors import DatabaseUnavailableError
from timber.common.persistence.listener import Listener
from timber.common.persistence.signals import Signal, Signals

LOOK_AGAIN_SECONDS: Final = 5.0
"""How soon what nobody has told of is found: on SQLite, what other processes store."""


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Reads what follows the last number seen. Numbers are given in the order of commits."""

    database: DatabaseService
    signals: Signals
    listener: Listener
    counter: type[Any]
    read: Callable[[int], Select[Any]]
    user_id: str

    @contextlib.asynccontextmanager
    async def opened(self, after: int | None) -> AsyncGenerator[AsyncGenerator[Any]]:
        """Give the notifications, for the length of a block."""
        with self.signals.subscribed(self.user_id) as signal:
            await asyncio.to_thread(self.listener.start)
            try:
                last = await self._now() if after is None else after
                async with contextlib.aclosing(self._follow(last, signal)) as news:
                    yield news
            finally:
                await asyncio.to_thread(self.listener.stop)

    async def _now(self) -> int:
        statement = select(self.counter.last).where(self.counter.user_id == self.user_id)
        return await self.database.run(lambda session: session.scalar(statement)) or 0

    async def _follow(self, last: int, signal: Signal) -> AsyncGenerator[Any]:
        while True:
            try:
                rows = await self._behind(last)
            except DatabaseUnavailableError:
                rows = []  # it may be back when we look again; what was stored meanwhile is there
            for row in rows:
                last = row.number
                yield row
            if not rows:
                await signal.wait(LOOK_AGAIN_SECONDS)

    async def _behind(self, last: int) -> list[Any]:
        statement = self.read(last)
        return await self.database.run(lambda session: list(session.scalars(statement)))
