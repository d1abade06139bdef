"""One door to all services, and one transaction over several of them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from timber.common.database.service import DatabaseService
from timber.common.database.session import TimberSession
from timber.common.database.threaded_session import ThreadedSession
from timber.common.persistence.idempotency import Idempotency
from timber.common.persistence.notifications import NotificationService
from timber.common.persistence.sessions import SessionService
from timber.common.persistence.tracker import TrackerService

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services, and what is asked of them most, by the names of the research desk."""

    sessions: SessionService
    notifications: NotificationService
    tracker: TrackerService

    def create_research_session(
        self,
        user_id: str,
        ticker: str,
        session_type: str = "stock_research",
        config: Mapping[str, Any] | None = None,
        *,
        data: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Store a session about a ticker; see `SessionService.create_session`."""
        return self.sessions.create_session(
            session_type,
            user_id,
            config=config,
            data=data,
            ticker=ticker,
            idempotency_key=idempotency_key,
        )

    def get_research_session(self, session_id: Any, session_type: str = "stock_research") -> Any:
        """Return a session; see `SessionService.get_session`."""
        return self.sessions.get_session(session_id, session_type)

    def update_research_session(
        self,
        session_id: Any,
        session_type: str = "stock_research",
        *,
        state: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> bool:
        """Change a session; see `SessionService.update_session`."""
        return self.sessions.update_session(session_id, session_type, state=state, data=data)

    def create_notification(  # noqa: PLR0913 - the guide's arguments, and the key
        self,
        user_id: str,
        notification_type: str,
        title: str,
        message: str,
        data: Any = None,
        *,
        expires_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Store a notification; see `NotificationService.create_notification`."""
        return self.notifications.create_notification(
            user_id,
            notification_type,
            title,
            message,
            data,
            expires_at=expires_at,
            idempotency_key=idempotency_key,
        )

    def track_event(
        self,
        user_id: str,
        event_type: str,
        event_data: Any = None,
        *,
        occurred_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Store an event; see `TrackerService.track_event`."""
        return self.tracker.track_event(
            user_id,
            event_type,
            event_data,
            occurred_at=occurred_at,
            idempotency_key=idempotency_key,
        )


@dataclass(frozen=True, kw_only=True)
class UnitOfWork(Services):
    """The services in one transaction, which is kept or undone as a whole."""

    session: TimberSession
    """For what no service does."""


@dataclass(frozen=True, kw_only=True)
class AsyncUnitOfWork(Services):
    """The services in one transaction, for the event loop."""

    session: ThreadedSession
    turn: asyncio.Lock

    async def call(
        self,
        function: Callable[Arguments, Result],
        *arguments: Arguments.args,
        **options: Arguments.kwargs,
    ) -> Result:
        """Call a method of this unit off the event loop: `await unit.call(unit.track_event, …)`.

        Calls of several tasks take turns, for the transaction is one.
        """
        async with self.turn:
            return await self.session.run(lambda _: function(*arguments, **options))


@dataclass(frozen=True, kw_only=True)
class PersistenceManager(Services):
    """All services; each call is a transaction of its own, a unit of work is one for many."""

    database: DatabaseService
    idempotency: Idempotency

    @contextmanager
    def unit_of_work(self) -> Generator[UnitOfWork]:
        """Give the services in one transaction: all of the block is kept, or nothing.

        `with persistence_manager.unit_of_work() as unit: unit.create_notification(…)`
        The block cannot be run again: a SerializationError in it, or at its end, is its
        caller's. `run` takes the work as a function, and runs it again.

        Raises:
            NotOpenError: the Timber is not open.
            DatabaseError: the database refused something.

        """
        with self.database.session_scope() as session:
            yield UnitOfWork(session=session, **self._within(session))

    @asynccontextmanager
    async def async_unit_of_work(self) -> AsyncGenerator[AsyncUnitOfWork]:
        """Do as `unit_of_work`, for the event loop.

        `await unit.call(unit.create_notification, …)` calls a method of the unit.
        """
        async with self.database.async_session_scope() as session:
            joined = await session.run(self._within)
            yield AsyncUnitOfWork(session=session, turn=asyncio.Lock(), **joined)

    def run(self, work: Callable[[UnitOfWork], Result]) -> Result:
        """Run `work` as a unit of work, and return its result.

        It is run again when the database breaks it off for the sake of another transaction.
        On the event loop: `await persistence_manager.call(persistence_manager.run, work)`.

        Raises:
            NotOpenError: the Timber is not open.
            SerializationError: it was broken off every time.
            DatabaseError: the database refused something.

        """
        return self.database.run_sync(
            lambda session: work(UnitOfWork(session=session, **self._within(session)))
        )

    async def call(
        self,
        function: Callable[Arguments, Result],
        *arguments: Arguments.args,
        **options: Arguments.kwargs,
    ) -> Result:
        """Call a method of a service off the event loop; see `DatabaseService.call`."""
        return await self.database.call(function, *arguments, **options)

    def purge_idempotency_keys(self) -> int:
        """Delete the idempotency keys that are too old to count; return how many.

        Services do this by the way, a thousand keys at a time.
        """
        count = 0
        while deleted := self.database.run_sync(self.idempotency.purge):
            count += deleted
        return count

    def _within(self, session: TimberSession) -> dict[str, Any]:
        return {
            "sessions": self.sessions.within(session),
            "notifications": self.notifications.within(session),
            "tracker": self.tracker.within(session),
        }
