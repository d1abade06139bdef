"""The database of one Timber: transactions, for threads and for the event loop."""

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias, TypeVar

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from timber.common.clock import Clock
from timber.common.database.engine import opened_engine
from timber.common.database.threaded_session import ThreadedSession, finish
from timber.common.errors import DatabaseError, NotOpenError
from timber.common.modeling import mixins

Result = TypeVar("Result")

MakeSession: TypeAlias = Callable[[sessionmaker[Session]], Session]
"""Makes a session with what the sessionmaker of a database has been taught."""

_THREADS: Final = 16
"""How many transactions of async callers are under way at once; more wait their turn."""


class DatabaseService:
    """Opens transactions on one database.

    A transaction reads what was committed before each of its statements.
    Read and change a row without losing another's change by reading it with
    `select(…).with_for_update()`: until the transaction ends nobody else changes it,
    on SQLite as on PostgreSQL.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._sessions = sessionmaker[Session](expire_on_commit=False)
        mixins.install(self._sessions, clock=clock)
        self._make_session: MakeSession | None = None
        self._engine: Engine | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._resources = contextlib.ExitStack()

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine.

        Raises:
            NotOpenError: the Timber is not open.

        """
        if self._engine is None:
            raise NotOpenError
        return self._engine

    def open(self, database_url: str) -> None:
        """Set up the engine; the first connection is made when the first one is needed.

        Raises:
            ConfigurationError: the URL cannot be used.

        """
        self._engine = self._resources.enter_context(opened_engine(database_url))
        self._sessions.configure(bind=self._engine)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="timber")

    def close(self) -> None:
        """Wait for the transactions of async callers, and close all connections."""
        if self._threads is not None:
            self._threads.shutdown()
        self._threads = self._engine = None
        self._sessions.configure(bind=None)
        self._resources.close()

    def session(self) -> Session:
        """Return a new session, which its owner commits and closes.

        Raises:
            NotOpenError: the Timber is not open.

        """
        if self._make_session is not None:
            return self._make_session(self._sessions)
        return self._sessions(bind=self.engine)

    @contextlib.contextmanager
    def sessions_made_by(self, make_session: MakeSession) -> Generator[None]:
        """Let `make_session` make every session, for the length of a block.

        So can all that is done in the block, whoever does it, be part of one transaction.
        """
        before, self._make_session = self._make_session, make_session
        try:
            yield
        finally:
            self._make_session = before

    @contextlib.contextmanager
    def session_scope(self) -> Generator[Session]:
        """Give a session; commit in the end, or roll back when the block raises.

        Raises:
            NotOpenError: the Timber is not open.
            DatabaseError: the database refused something.

        """
        with self.session() as session:  # whose end rolls back what was not committed
            yield session
            session.commit()

    @contextlib.asynccontextmanager
    async def async_session_scope(self) -> AsyncGenerator[ThreadedSession]:
        """Do as `session_scope`, for the event loop: every call on the session is awaited.

        Raises:
            NotOpenError: the Timber is not open.
            DatabaseError: the database refused something.

        """
        session = ThreadedSession(self.session(), in_thread=self._in_thread)
        try:
            yield session
            await session.commit()
        finally:
            await session.close()

    async def run(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in one transaction, off the event loop, and return its result.

        A caller that is cancelled meanwhile is told so only when the transaction has ended,
        so nothing of it happens behind his back.

        Raises:
            NotOpenError: the Timber is not open.
            DatabaseError: the database refused something.

        """

        def transaction() -> Result:
            with self.session_scope() as session:
                return work(session)

        return await self._in_thread(transaction)

    def check_connection(self) -> bool:
        """Tell whether the database answers.

        Raises:
            NotOpenError: the Timber is not open.

        """
        try:
            with self.engine.connect() as connection:
                return connection.execute(text("SELECT 1")).scalar() == 1
        except DatabaseError:
            return False

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._threads is None:
            raise NotOpenError
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await finish(loop.run_in_executor(self._threads, context.run, work))
