"""The tracker: what people do, and how often."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import gcd
from typing import Any, Final

from sqlalchemy import BigInteger, Select, cast, extract, func, literal, select, tuple_

from timber.common.clock import Clock
from timber.common.database.service import DatabaseService
from timber.common.database.session import TimberSession
from timber.common.errors import InvalidRequestError
from timber.common.ids import IdFactory
from timber.common.modeling.registry import ModelRegistry
from timber.common.persistence.base import Read, Service, Transact, checked_limit
from timber.common.persistence.buckets import Unit, edges, zone_of
from timber.common.persistence.event_buffer import EventBuffer
from timber.common.persistence.idempotency import Idempotency
from timber.common.persistence.pages import Page, decode_cursor, page_of

_CURSOR: Final = "events"


@dataclass(frozen=True)
class Bucket:
    """A piece of time, and how many events fell into it."""

    start: datetime
    """When it begins, in UTC."""
    end: datetime
    """When the next one begins."""
    count: int


class TrackerService(Service):
    """Stores events, lists and counts them."""

    def __init__(  # noqa: PLR0913 - what it is made of, all by keyword
        self,
        *,
        transact: Transact,
        read: Read,
        models: ModelRegistry,
        clock: Clock,
        idempotency: Idempotency,
        database: DatabaseService,
        new_id: IdFactory,
    ) -> None:
        super().__init__(transact=transact, read=read, models=models, clock=clock)
        self._idempotency = idempotency
        self._database = database
        self._new_id = new_id

    def track_event(
        self,
        user_id: str,
        event_type: str,
        event_data: Any = None,
        *,
        occurred_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Store an event, and return its key; it occurred now, unless it is said when.

        Raises:
            UserNotFoundError: there is no such user.
            IdempotencyConflictError: the key was used for another event.
            DatabaseError: a value does not fit its column.

        """
        given = {"event_type": event_type, "event_data": event_data, "occurred_at": occurred_at}
        values = {name: one for name, one in given.items() if one is not None}

        def create(session: TimberSession) -> str:
            row = self._rows(user_id=user_id, **values)
            session.add(row)
            session.flush()
            return str(row.id)

        def work(session: TimberSession) -> str:
            self._require_user(session, user_id)
            made: str = self._idempotency.once(
                session,
                lambda: create(session),
                user_id=user_id,
                operation="track_event",
                key=idempotency_key,
                request=values,
            )
            return made

        return self._transact(work)

    def buffered(self, *, batch: int = 500, wait_seconds: float = 0.05) -> EventBuffer:
        """Return a buffer that stores events in batches, for high rates; use it in a `with`.

        A batch is stored when it has `batch` events, or its first is `wait_seconds` old.
        """
        return EventBuffer(
            database=self._database,
            users=lambda: self._models.get("User"),
            events=lambda: self._rows,
            track=self.track_event,
            clock=self._clock,
            new_id=self._new_id,
            batch=checked_limit(batch),
            wait_seconds=wait_seconds,
        )

    def get_event(self, event_id: str) -> Any:
        """Return an event.

        Raises:
            RecordNotFoundError: there is none.

        """
        return self._one(self._rows, event_id, kind="event")

    def get_user_events(
        self,
        user_id: str,
        limit: int = 50,
        *,
        event_type: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
    ) -> Page[Any]:
        """Return a page of a person's events, the newest first, from `since` to before `until`.

        Raises:
            InvalidRequestError: the cursor is none, or the limit is not from 1 to 10,000.

        """
        model = self._rows
        order = (model.occurred_at, model.id)
        statement = self._where(select(model), user_id, event_type, since, until)
        statement = statement.limit(checked_limit(limit) + 1)
        if cursor is not None:
            moment, key = decode_cursor(_CURSOR, cursor, str, str)
            statement = statement.where(tuple_(*order) < tuple_(_moment(moment), key))
        statement = statement.order_by(*(one.desc() for one in order))
        fresh = statement.execution_options(populate_existing=True)

        def work(session: TimberSession) -> Page[Any]:
            rows = session.scalars(fresh).all()
            return page_of(
                rows,
                limit,
                kind=_CURSOR,
                place=lambda row: (row.occurred_at.isoformat(), row.id),
            )

        return self._transact(work)

    def count_by_type(
        self,
        *,
        user_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Mapping[str, int]:
        """Return how many events of each type there are, from `since` to before `until`."""
        model = self._rows
        statement = self._where(
            select(model.event_type, func.count()), user_id, None, since, until
        ).group_by(model.event_type)
        return self._transact(
            lambda session: {row[0]: row[1] for row in session.execute(statement)}
        )

    def count_by_time(
        self,
        bucket: Unit,
        *,
        since: datetime,
        until: datetime,
        timezone: str = "UTC",
        user_id: str | None = None,
        event_type: str | None = None,
    ) -> Sequence[Bucket]:
        """Return how many events fell into each hour, day, week, month or year.

        Buckets are those of the clocks of `timezone`; those without events are there, too.
        Only events from `since` to before `until` are counted, so the first and the last
        bucket may be counted in part.

        Raises:
            InvalidRequestError: the timezone or the bucket is none, or there are too many.

        """
        cuts = edges(since, until, bucket, zone_of(timezone))
        statement = self._where(select(), user_id, event_type, since, until)

        def work(session: TimberSession) -> list[int]:
            counts = [0] * (len(cuts) - 1)
            for moment, number in _count_by_slot(session, statement, self._rows, cuts):
                counts[bisect_right(cuts, moment) - 1] += number
            return counts

        counts = self._transact(work)
        return [Bucket(*place) for place in zip(cuts, cuts[1:], counts, strict=False)]

    @property
    def _rows(self) -> type[Any]:
        return self._model("TrackedEvent", "event_type", "event_data", "occurred_at")

    def _where(
        self,
        statement: Select[Any],
        user_id: str | None,
        event_type: str | None,
        since: datetime | None,
        until: datetime | None,
    ) -> Any:
        model = self._rows
        if user_id is not None:
            statement = statement.where(model.user_id == user_id)
        if event_type is not None:
            statement = statement.where(model.event_type == event_type)
        if since is not None:
            statement = statement.where(model.occurred_at >= since)
        if until is not None:
            statement = statement.where(model.occurred_at < until)
        return statement


def _moment(written: str) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except ValueError as error:
        raise InvalidRequestError("cursor: this is none of this list") from error


def _count_by_slot(
    session: TimberSession, statement: Any, model: type[Any], cuts: Sequence[datetime]
) -> Iterator[tuple[datetime, int]]:
    """Count in slots of the largest size of which every bucket has a whole number."""
    first = cuts[0]
    size = gcd(*(int((cut - first).total_seconds()) for cut in cuts[1:]), 0) or 1
    slot = _seconds_after(session, model.occurred_at, first) / literal(size, BigInteger)
    slot = func.floor(slot) if session.get_bind().dialect.name == "postgresql" else slot
    counted = statement.add_columns(slot.label("slot"), func.count()).group_by("slot")
    for number, count in session.execute(counted):
        yield first + timedelta(seconds=int(number) * size), count


def _seconds_after(session: TimberSession, column: Any, moment: datetime) -> Any:
    start = int(moment.timestamp())
    if session.get_bind().dialect.name == "postgresql":
        return extract("epoch", column) - start
    # Without its fraction, which SQLite would round.
    return cast(func.strftime("%s", func.substr(column, 1, 19)), BigInteger) - start
