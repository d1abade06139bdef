"""Storages of the engine over databases that stay open from test to test.

Opening one maps the engine's models and makes its tables, which costs more than most tests do.
"""

from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Protocol, Self

from tests.lent_timbers import empty
from typing_extensions import override

from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.ids import IdFactory, random_id
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.group_commit import GroupCommit
from timber.common.runtime import Timber

IN_MEMORY: Final = "sqlite:///:memory:"


class _Relayed:
    """The clock of whoever has the storage now."""

    def __init__(self) -> None:
        self.clock: Clock = SystemClock()

    def now(self) -> datetime:
        return self.clock.now()


class Vault:
    """One open database with the engine's tables, for one storage at a time.

    Its memories are found by their words; who wants an embedder, a file, or another process
    opens a storage of his own.
    """

    def __init__(self, url: str, timber: Timber, clock: _Relayed) -> None:
        self.url = url
        self.timber = timber
        self._clock = clock
        self._is_lent = False

    @classmethod
    @contextmanager
    def opened(cls, url: str) -> Generator[Self]:
        """Open the engine's tables in an empty database."""
        clock = _Relayed()
        timber = Timber(clock=clock)
        as_opened = Storage(url, clock=SystemClock(), ids=random_id, synchronous="NORMAL")
        with timber.opened(as_opened._settings):
            yield cls(url, timber, clock)

    @contextmanager
    def lent(self, clock: Clock, ids: IdFactory) -> Generator[Storage]:
        """Give a storage that is not open yet, over tables in which nothing is."""
        if self._is_lent:
            raise AssertionError("it is lent already: open a second storage by yourself")
        self._is_lent = True
        self._clock.clock = clock
        empty(self.timber)
        self.timber.cache.clear()
        try:
            yield _LentStorage(self, clock=clock, ids=ids)
        finally:
            self._is_lent = False


class _LentStorage(Storage):
    """Opens and closes its writer only."""

    def __init__(self, vault: Vault, *, clock: Clock, ids: IdFactory) -> None:
        super().__init__(vault.url, clock=clock, ids=ids)
        self._timber = vault.timber

    @override
    async def open(self) -> None:
        if not self.is_open:
            self._writer = GroupCommit(self._timber.database)

    @override
    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
            self._statements.clear()


class LendStorage(Protocol):
    """Lends a storage, open and empty: in `memory`, in a `file`, or on `postgresql`."""

    def __call__(
        self, *, clock: Clock, ids: IdFactory = random_id, kind: str = "memory"
    ) -> Awaitable[Storage]: ...
