"""A storage without threads, for a life in which nobody else waits."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import event
from typing_extensions import override

from puppet_engine.storage.gateway import Storage, in_our_words
from puppet_engine.storage.group_commit import Together

A = TypeVar("A")
T = TypeVar("T")


class InlineStorage(Storage):
    """Runs each transaction in the event loop itself.

    While one runs nothing else does. Where turns come one after the other anyway,
    that halves the time they take: two threads would mostly wait for each other.
    What is committed outlives the process, but not a loss of power: no disk is waited for.
    """

    @override
    async def open(self) -> None:
        await super().open()
        engine = self._timber.database.engine
        if engine.dialect.name == "sqlite":
            engine.dispose()  # the connections that wait already
            event.listen(engine, "connect", _without_waiting)

    @override
    async def write(self, together: Together[A, T], argument: A) -> T:
        return self._transact(lambda session: together(session, [argument])[0])

    @override
    async def read(self, work: Callable[[Any], T]) -> T:
        return self._transact(work)

    def _transact(self, work: Callable[[Any], T]) -> T:
        self._require_open()
        with in_our_words():
            return self._timber.database.run_sync(work)


def _without_waiting(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")
