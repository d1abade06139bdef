"""A storage without threads, for a life in which nobody else waits."""

import contextlib
from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session
from typing_extensions import override

from puppet_engine.storage.gateway import Proposals, Storage, in_our_words
from puppet_engine.storage.group_commit import Together
from timber.common.vector.steps import Steps

A = TypeVar("A")
T = TypeVar("T")

_ALONE: Final = (
    "PRAGMA synchronous = OFF",
    # Nobody else has the file open, so its locks need not be asked for at each transaction.
    "PRAGMA locking_mode = EXCLUSIVE",
    # In KiB. Ids are random, so that a new row touches a page anywhere in their index.
    "PRAGMA cache_size = -131072",
    # In pages. What was written is copied into the file seldom: much of it is written again.
    "PRAGMA wal_autocheckpoint = 16384",
)


class InlineStorage(Storage):
    """Runs each transaction in the event loop itself, all of them on one connection.

    While one runs nothing else does. Where turns come one after the other anyway,
    that halves the time they take: two threads would mostly wait for each other.
    On SQLite the file is nobody else's meanwhile, not even to be read, and
    what is committed outlives the process, but not a loss of power: no disk is waited for.
    """

    _is_alone: ClassVar[bool] = True

    def __init__(self, *args: Any, **options: Any) -> None:
        # No thread could follow: the connection is never free.
        super().__init__(*args, **options | {"follows_texts": False})
        self._kept = contextlib.ExitStack()
        """The connection, and the session on it."""
        self._session: Session | None = None
        """The same, where nobody else writes."""

    @override
    async def open(self) -> None:
        if self.is_open:
            return
        await super().open()
        database = self._timber.database
        engine = database.engine
        if engine.dialect.name == "sqlite":
            engine.dispose()  # the connections that wait already
            event.listen(engine, "connect", _without_waiting)
        connection = self._kept.enter_context(engine.connect())
        # Each transaction leaves it empty. A new one, and a connection from the pool,
        # would take longer than most transactions do.
        with database.sessions_made_by(lambda sessions: sessions(bind=connection)):
            session = self._kept.enter_context(database.session())
        self._kept.enter_context(database.sessions_made_by(lambda _sessions: session))
        if engine.dialect.name == "sqlite":
            self._session = session

    @override
    async def close(self) -> None:
        self._session = None
        self._kept.close()
        await super().close()

    @override
    async def write(self, together: Together[A, T], argument: A) -> T:
        return self._transact(lambda session: together(session, [argument])[0])

    @override
    async def read(self, work: Callable[[Session], T]) -> T:
        return self._look(work)

    @override
    async def propose(
        self,
        query: str,
        *,
        owner: str,
        depth: int,
        weigh: Callable[[Proposals], Steps[T]],
    ) -> T:
        self._require_open()
        with in_our_words():
            return self._propose(query, owner, depth, weigh)

    def _transact(self, work: Callable[[Any], T]) -> T:
        self._require_open()
        session = self._session
        with in_our_words():
            if session is None:
                return self._timber.database.run_sync(work)
            # Nobody breaks it off, so it is not to be tried again; and to close the session each
            # time would take as long as a statement.
            try:
                result = work(session)
                session.commit()
            except BaseException:
                session.rollback()
                raise
            finally:
                session.expunge_all()
            return result

    def _look(self, work: Callable[[Any], T]) -> T:
        """Do work that reads, without ending what it begins: the next transaction goes on with it.

        Nobody else writes, so nothing would be seen anew.
        """
        self._require_open()
        session = self._session
        if session is None:
            return self._transact(work)
        with in_our_words():
            try:
                return work(session)
            except BaseException:
                session.rollback()
                raise
            finally:
                session.expunge_all()


def _without_waiting(connection: Any, _record: object) -> None:
    for pragma in _ALONE:
        connection.execute(pragma)
