"""Notifications: what people are told, unread first, and live."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Executable,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from timber.common.clock import Clock
from timber.common.database.service import DatabaseService
from timber.common.database.session import TimberSession
from timber.common.errors import RecordNotFoundError
from timber.common.modeling.registry import ModelRegistry
from timber.common.persistence.base import Read, Service, Transact, checked_limit, prepared
from timber.common.persistence.feed import Feed
from timber.common.persistence.idempotency import Idempotency
from timber.common.persistence.listener import Listener
from timber.common.persistence.pages import Page, decode_cursor, page_of
from timber.common.persistence.signals import Signals, announce

_UNSYNCHRONIZED: Final = {"synchronize_session": False}
_CURSOR: Final = "notifications"


@dataclass(frozen=True)
class NotificationCounts:
    """How many notifications a person has that have not expired."""

    total: int
    unread: int
    unread_by_type: Mapping[str, int]


class NotificationService(Service):
    """Stores notifications, lists them, and tells of new ones as they come.

    An expired notification is seen by nobody, and deleted by `delete_expired`.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, all by keyword
        self,
        *,
        transact: Transact,
        read: Read,
        models: ModelRegistry,
        clock: Clock,
        idempotency: Idempotency,
        signals: Signals,
        listener: Listener,
        database: DatabaseService,
    ) -> None:
        super().__init__(transact=transact, read=read, models=models, clock=clock)
        self._idempotency = idempotency
        self._signals = signals
        self._listener = listener
        self._database = database

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
        """Store a notification, and return its key.

        Notifications of one person are stored one after the other, each when the one before
        is committed, so that their numbers are in the order in which they can be seen.

        Raises:
            UserNotFoundError: there is no such user.
            IdempotencyConflictError: the key was used for another notification.
            DatabaseError: a value does not fit its column.

        """
        values = {
            "notification_type": notification_type,
            "title": title,
            "message": message,
            "data": data,
            "expires_at": expires_at,
        }

        def create(session: TimberSession) -> str:
            row = self._rows(user_id=user_id, number=self._next(session, user_id), **values)
            session.add(row)
            session.flush()
            announce(session, self._signals, user_id)
            return str(row.id)

        def work(session: TimberSession) -> str:
            self._require_user(session, user_id)
            made: str = self._idempotency.once(
                session,
                lambda: create(session),
                user_id=user_id,
                operation="create_notification",
                key=idempotency_key,
                request=values,
            )
            return made

        return self._transact(work)

    def get_notification(self, notification_id: str) -> Any:
        """Return a notification.

        Raises:
            RecordNotFoundError: there is none, or it has expired.

        """
        row = self._one(self._rows, notification_id, kind="notification")
        if row.expires_at and row.expires_at <= self._clock.now():
            raise RecordNotFoundError("notification", notification_id)
        return row

    def get_user_notifications(
        self,
        user_id: str,
        limit: int = 50,
        *,
        cursor: str | None = None,
        unread_only: bool = False,
        notification_type: str | None = None,
    ) -> Page[Any]:
        """Return a page of a person's notifications: unread ones first, of each the newest first.

        One that is read between two pages goes behind the unread ones, so it may come again.

        Raises:
            InvalidRequestError: the cursor is none, or the limit is not from 1 to 10,000.

        """
        model = self._rows
        statement = self._visible(select(model), user_id).limit(checked_limit(limit) + 1)
        statement = statement.order_by(model.read, model.number.desc())
        if cursor is not None:
            read, number = decode_cursor(_CURSOR, cursor, bool, int)
            below = and_(model.read.is_(read), model.number < number)
            statement = statement.where(below if read else or_(below, model.read.is_(True)))
        if unread_only:
            statement = statement.where(model.read.is_(False))
        if notification_type is not None:
            statement = statement.where(model.notification_type == notification_type)
        fresh = statement.execution_options(populate_existing=True)

        def work(session: TimberSession) -> Page[Any]:
            rows = session.scalars(fresh).all()
            return page_of(rows, limit, kind=_CURSOR, place=lambda row: (row.read, row.number))

        return self._transact(work)

    def mark_as_read(self, notification_id: str) -> bool:
        """Note that a notification was read, and return True; when it was first read, stays.

        Raises:
            RecordNotFoundError: there is none, or it has expired.

        """
        model = self._rows

        def work(session: TimberSession) -> bool:
            mark = self._alive(update(model).where(model.id == notification_id))
            moment = func.coalesce(model.read_at, literal(self._clock.now(), model.read_at.type))
            marked: Any = session.execute(
                mark.values(read=True, read_at=moment), execution_options=_UNSYNCHRONIZED
            )
            if not marked.rowcount:
                raise RecordNotFoundError("notification", notification_id)
            self._refresh(session)
            return True

        return self._transact(work)

    def mark_all_as_read(self, user_id: str) -> int:
        """Note that all of a person's notifications were read; return how many were not yet."""
        model = self._rows

        def work(session: TimberSession) -> int:
            unread = update(model).where(model.user_id == user_id, model.read.is_(False))
            marked: Any = session.execute(
                self._alive(unread).values(read=True, read_at=self._clock.now()),
                execution_options=_UNSYNCHRONIZED,
            )
            self._refresh(session)
            return int(marked.rowcount)

        return self._transact(work)

    def delete_notification(self, notification_id: str) -> bool:
        """Delete a notification for good, and return True.

        Raises:
            RecordNotFoundError: there is none.

        """
        model = self._rows

        def work(session: TimberSession) -> bool:
            if not self._delete(session, model.id == notification_id):
                raise RecordNotFoundError("notification", notification_id)
            return True

        return self._transact(work)

    def delete_expired(self) -> int:
        """Delete for good what has expired, of everybody; return how many."""
        model = self._rows
        return self._transact(
            lambda session: self._delete(session, model.expires_at <= self._clock.now())
        )

    def count_notifications(self, user_id: str) -> NotificationCounts:
        """Return how many notifications a person has, and how many of them are unread."""
        model = self._rows
        statement = self._visible(
            select(model.read, model.notification_type, func.count()), user_id
        ).group_by(model.read, model.notification_type)

        def work(session: TimberSession) -> NotificationCounts:
            found = [tuple(row) for row in session.execute(statement)]
            unread = {kind: number for read, kind, number in found if not read}
            total = sum(number for _, _, number in found)
            return NotificationCounts(total, sum(unread.values()), unread)

        return self._transact(work)

    def feed(
        self, user_id: str, *, after: int | None = None
    ) -> AbstractAsyncContextManager[AsyncGenerator[Any]]:
        """Give a person's notifications as they are committed, one by one, none twice.

        `async with notification_service.feed(user_id) as news: async for one in news: …`
        It begins with the first after the block is entered, or with what follows the number
        `after` of a notification that was seen before. What was committed while the
        connection to the database was lost comes when it is back.

        Raises:
            NotOpenError: the Timber is not open.

        """
        return Feed(
            database=self._database,
            signals=self._signals,
            listener=self._listener,
            counter=self._counters,
            read=lambda number: self._following(user_id, number),
            user_id=user_id,
        ).opened(after)

    @property
    def _rows(self) -> type[Any]:
        return self._model("Notification", "number", "read", "read_at", "expires_at")

    @property
    def _counters(self) -> type[Any]:
        return self._model("NotificationCounter")

    def _following(self, user_id: str, number: int) -> Select[Any]:
        model = self._rows
        following: Select[Any] = (
            self._visible(select(model), user_id)
            .where(model.number > number)
            .order_by(model.number)
            .limit(100)
        )
        return following

    def _visible(self, statement: Select[Any], user_id: str) -> Any:
        return self._alive(statement.where(self._rows.user_id == user_id))

    def _alive(self, statement: Any) -> Any:
        expires_at = self._rows.expires_at
        return statement.where(or_(expires_at.is_(None), expires_at > self._clock.now()))

    def _next(self, session: TimberSession, user_id: str) -> int:
        """Return the person's next number; until the transaction ends, nobody else gets one."""
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        count = _count_sqlite if is_sqlite else _count_postgresql
        statement = prepared(self._counters.__table__, count)
        return int(session.execute(statement, {"key": user_id}).scalar_one())

    def _delete(self, session: TimberSession, condition: Any) -> int:
        gone: Any = session.execute(
            delete(self._rows).where(condition), execution_options=_UNSYNCHRONIZED
        )
        self._refresh(session)
        return int(gone.rowcount)

    def _refresh(self, session: TimberSession) -> None:
        """Let go of the rows at hand that a statement may have changed."""
        rows = self._rows
        for row in [one for one in session.identity_map.values() if isinstance(one, rows)]:
            session.expunge(row)


def _count_sqlite(table: Table) -> Executable:
    return _counted(table, sqlite.insert(table))


def _count_postgresql(table: Table) -> Executable:
    return _counted(table, postgresql.insert(table))


def _counted(table: Table, inserted: Any) -> Executable:
    upsert: Executable = (
        inserted.values(user_id=bindparam("key"), last=1)
        .on_conflict_do_update(index_elements=["user_id"], set_={"last": table.c.last + 1})
        .returning(table.c.last)
    )
    return upsert
