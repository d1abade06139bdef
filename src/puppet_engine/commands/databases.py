"""The database of an engine, opened for the length of a command."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from puppet_engine.commands.event_desks import require_database
from puppet_engine.commands.terminal import read_settings
from puppet_engine.core.clock import SystemClock
from puppet_engine.core.ids import random_id
from puppet_engine.storage.gateway import Storage

T = TypeVar("T")


async def with_storage(database: str | None, work: Callable[[Storage], Awaitable[T]]) -> T:
    """Return what `work` makes of the database, or of that of the settings.

    An engine may live there meanwhile: it sees what is changed when it looks next.

    Raises:
        ConfigurationError: there is none.

    """
    settings = read_settings(database_url=database)
    require_database(settings.database_url)
    storage = Storage(
        settings.database_url, clock=SystemClock(), ids=random_id, embedder=settings.embedder
    )
    await storage.open()
    try:
        return await work(storage)
    finally:
        await storage.close()
