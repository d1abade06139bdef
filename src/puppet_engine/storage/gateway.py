"""The engine's database, opened through Timber."""

import asyncio
import contextlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy.orm import Session

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import ConfigurationError, NotRunningError, StorageError
from puppet_engine.core.ids import IdFactory
from timber.common import errors as timber_errors
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

MODELS: Final = Path(__file__).parent / "models"

T = TypeVar("T")


class Storage:
    """One database with the engine's tables. Building it does nothing; `open` opens it."""

    def __init__(self, database_url: str, *, clock: Clock, ids: IdFactory) -> None:
        self.clock = clock
        self.ids = ids
        self._settings = TimberSettings(
            database_url=database_url, model_config_dirs=(MODELS,), create_tables=True
        )
        self._timber = Timber(clock=clock)
        self._opening = asyncio.Lock()
        self.is_open = False

    async def open(self) -> None:
        """Open the database and make its tables. Calling it again does nothing.

        Raises:
            ConfigurationError: the URL or a model file cannot be used; nothing was touched.
            StorageError: the database cannot be opened.

        """
        async with self._opening:
            if not self.is_open:
                with in_our_words():
                    await asyncio.to_thread(self._timber.open, self._settings)
                self.is_open = True

    async def close(self) -> None:
        """Close the database. Calling it again does nothing."""
        if self.is_open:
            self.is_open = False
            await asyncio.to_thread(self._timber.close)

    def model(self, name: str) -> Any:
        """Return the class of one of the engine's tables. Raises `NotRunningError`."""
        self._require_open()
        return self._timber.models.get(name)

    async def run(self, work: Callable[[Session], T]) -> T:
        """Do `work` in one transaction: all of it is committed when this returns, or nothing.

        Raises:
            NotRunningError: the storage is not open.
            StorageError: the database refused; nothing of the work was kept.

        """
        self._require_open()
        with in_our_words():
            return await self._timber.database.run(work)

    def _require_open(self) -> None:
        if not self.is_open:
            raise NotRunningError("the storage", "await open() first")


@contextlib.contextmanager
def in_our_words() -> Generator[None]:
    """Raise what Timber raises in a block as errors of ours."""
    try:
        yield
    except (timber_errors.ConfigurationError, timber_errors.DocumentError) as error:
        raise ConfigurationError(str(error)) from error
    except timber_errors.TimberError as error:
        raise StorageError(str(error)) from error
