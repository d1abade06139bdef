"""The database of one Timber: transactions, for threads and for the event loop."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from typing import Any, ParamSpec, TypeAlias, TypeVar

from sqlalchemy import Engine, Executable, Table
from sqlalchemy.orm import Session, sessionmaker

from timber.common.caching.rows import BYPASSED
from timber.common.caching.service import SessionCache
from timber.common.clock import SteadyClock
from timber.common.database.bulk import insert_rows
from timber.common.database.engine import opened_engine
from timber.common.database.health import Health, examine
from timber.common.database.retrying import IsolationLevel, Retrying, isolate
from timber.common.database.session import TimberSession
from timber.common.database.streaming import BATCH, AsyncRowStream, RowStream, rows_of
from timber.common.database.threaded_session import ThreadedSession
from timber.common.database.threads import Threads
from timber.common.errors import NotOpenError
from timber.common.settings import ConnectionOptions

Model = TypeVar("Model")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

MakeSession: TypeAlias = Callable[[sessionmaker[TimberSession]], TimberSession]
"""Makes a session with what the sessionmaker of a database has been taught."""


class DatabaseService:
    """Opens transactions on one database.

    A transaction reads what was committed before each of its statements.
    Read and change a row without losing another's change by reading it with
    `select(…).with_for_update()`: until the transaction ends nobody else changes it,
    on SQLite as on PostgreSQL.
    """

    def __init__(
        self,
        *,
        clock: SteadyClock,
        sleep: Callable[[float], None] = time.sleep,
        chance: random.Random | None = None,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._sessions = sessionmaker(class_=TimberSession, clock=clock, expire_on_commit=False)
        self._retrying = Retrying(sleep=sleep, chance=chance or random.Random())  # noqa: S311 - spreads waits, guards nothing
        self._clock = clock
        self._timer = timer
        self._make_session: MakeSession | None = None
        self._cache: SessionCache | None = None
        self._engine: Engine | None = None
        self._threads = Threads()
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

    def open(self, database_url: str, options: ConnectionOptions | None = None) -> None:
        """Set up the engine; the first connection is made when the first one is needed.

        Raises:
            ConfigurationError: the URL cannot be used.

        """
        self._engine = self._resources.enter_context(
            opened_engine(database_url, options or ConnectionOptions())
        )
        self._sessions.configure(bind=self._engine)
        self._threads.open()

    def close(self) -> None:
        """Wait for the transactions of async callers, and close all connections."""
        self._threads.close()
        self._engine = None
        self.read_through(None)
        self._sessions.configure(bind=None)
        self._resources.close()

    def read_through(self, cache: SessionCache | None) -> None:
        """Have sessions read the rows of cached models through the cache."""
        self._sessions.configure(cache=cache)
        self._cache = cache

    def session(self) -> TimberSession:
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
    def session_scope(self) -> Generator[TimberSession]:
        """Give a session; commit in the end, or roll back when the block raises.

        The block cannot be run again: a SerializationError in it, or at its end, is its caller's.
        `run` and `run_sync` take the work as a function, and run it again.

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
        session = ThreadedSession(self.session(), in_thread=self._threads.run)
        try:
            yield session
            await session.commit()
        finally:
            await session.close()

    def get(self, model: type[Model], key: Any) -> Model | None:
        """Return the row with that primary key, of no session; None if there is none.

        Its columns are loaded; of its relationships those that are loaded with every row.
        A row that the cache of this process knows is made without a session, in a few
        microseconds; so is one that the shared cache knows, when it has told it. Any other is
        read in a transaction of its own.

        Raises:
            NotOpenError: the Timber is not open.
            DatabaseError: the database refused something.

        """
        found = self._known(model, key)
        row: Model | None = self._found(model, key) if found is BYPASSED else found
        return row

    async def async_get(self, model: type[Model], key: Any) -> Model | None:
        """Do as `get`, for the event loop; what the cache of this process knows is there at once.

        Raises:
            NotOpenError: the Timber is not open.
            DatabaseError: the database refused something.

        """
        found = self._known(model, key)
        if found is BYPASSED:
            found = await self._threads.run(lambda: self._found(model, key))
        row: Model | None = found
        return row

    def _known(self, model: type[Any], key: Any) -> Any:
        """Return a row that is known without a transaction, None if there is none, or BYPASSED."""
        if self._cache is None or self._make_session is not None:
            return BYPASSED
        return self._cache.rows.known(model, key)

    def _found(self, model: type[Any], key: Any) -> Any:
        """Return a row as the shared cache or the database has it, None if there is none."""
        if self._cache is not None and self._make_session is None:
            found = self._cache.rows.read(model, key, self.run_sync)
            if found is not BYPASSED:
                return found
        return self.run_sync(lambda session: session.get(model, key))

    async def run(
        self, work: Callable[[TimberSession], Result], *, isolation: IsolationLevel | None = None
    ) -> Result:
        """Run `work` in one transaction, off the event loop, and return its result.

        As `run_sync`. A caller that is cancelled meanwhile is told so only when the transaction
        has ended, so nothing of it happens behind his back.
        """
        return await self._threads.run(lambda: self.run_sync(work, isolation=isolation))

    def run_sync(
        self, work: Callable[[TimberSession], Result], *, isolation: IsolationLevel | None = None
    ) -> Result:
        """Run `work` in one transaction, and return its result.

        When the database breaks it off for the sake of another transaction, it is run again
        after a short wait, in a new session; so it should do nothing but use its session.

        Raises:
            NotOpenError: the Timber is not open.
            SerializationError: it was broken off every time.
            DatabaseError: the database refused something.

        """

        def attempt() -> Result:
            with self.session_scope() as session:
                isolate(session, isolation)
                return work(session)

        return self._retrying(attempt)

    async def call(
        self,
        function: Callable[Arguments, Result],
        *arguments: Arguments.args,
        **options: Arguments.kwargs,
    ) -> Result:
        """Call a function that waits for the database, such as a service's, off the event loop.

        `await db_service.call(session_service.get_session, key, "stock_research")`.
        A caller that is cancelled meanwhile is told so when the call has ended.
        """
        return await self._threads.run(lambda: function(*arguments, **options))

    def stream(self, statement: Executable, *, batch: int = BATCH) -> RowStream[Any]:
        """Return what the statement selects, row by row, with `batch` rows in memory at once.

        A statement that selects one thing, a model or a column, gives just that.
        What is read is for reading: changes of it are not stored.
        On PostgreSQL the rows are those of one moment, and a transaction is open meanwhile.
        In memory, SQLite lets nobody write before the stream is at its end or closed.

        Raises:
            NotOpenError: the Timber is not open.
            DatabaseError: the database refused something.

        """
        return RowStream(rows_of(self.session(), statement, batch=batch))

    def async_stream(self, statement: Executable, *, batch: int = BATCH) -> AsyncRowStream[Any]:
        """Do as `stream`, for `async for`."""
        rows = rows_of(self.session(), statement, batch=batch)
        return AsyncRowStream(rows, batch=batch, in_thread=self._threads.run)

    def bulk_insert(
        self,
        model: type[Any] | Table,
        rows: Iterable[Mapping[str, Any]],
        *,
        session: Session | None = None,
    ) -> int:
        """Insert rows by COPY on PostgreSQL, by `executemany` on SQLite; return their number.

        Either all of them are stored or none; within a `session`, when that is committed.
        The rows may come from a generator of any length.
        Columns that a row does not give get the model's defaults.

        Raises:
            NotOpenError: the Timber is not open.
            UnknownColumnError: a row has a key that is no column.
            DatabaseError: the database refused something.

        """
        with contextlib.ExitStack() as own:
            if session is None:
                session = own.enter_context(self.session_scope())
            session.flush()  # what the rows may point to
            own.enter_context(self._clock.held())
            return insert_rows(session.connection(), model, rows)

    async def async_bulk_insert(
        self, model: type[Any] | Table, rows: Iterable[Mapping[str, Any]]
    ) -> int:
        """Do as `bulk_insert`, off the event loop, where the rows are iterated, too."""
        return await self._threads.run(lambda: self.bulk_insert(model, rows))

    def health(self) -> Health:
        """Tell how the database does; one that cannot be reached is told of, not raised.

        Raises:
            NotOpenError: the Timber is not open.

        """
        return examine(self.engine, pending=self._threads.pending, timer=self._timer)

    async def async_health(self) -> Health:
        """Do as `health`, off the event loop, and past the transactions that wait."""
        return await asyncio.to_thread(self.health)

    def check_connection(self) -> bool:
        """Tell whether the database answers.

        Raises:
            NotOpenError: the Timber is not open.

        """
        return self.health().reachable
