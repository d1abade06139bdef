"""The statements of the services, written by hand with SQLAlchemy's session."""

import contextlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks.contenders import service_work
from benchmarks.contenders.engines import engine_with_tables
from benchmarks.harness.stage import Stage, Trial
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

_JSON: Final = JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True), "postgresql"
)
_MOMENT: Final = DateTime(timezone=True)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the peer has no clock of ours


def _id() -> str:
    return str(uuid.uuid4())


class Base(DeclarativeBase):
    """The base of the classes of this module."""


class User(Base):
    """A person."""

    __tablename__ = "users"

    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    email: Mapped[str] = mapped_column(String(320), index=True)
    username: Mapped[str] = mapped_column(String(150), index=True)
    created_at: Mapped[datetime] = mapped_column(_MOMENT, default=_now)
    updated_at: Mapped[datetime] = mapped_column(_MOMENT, default=_now, onupdate=_now)
    deleted_at: Mapped[datetime | None] = mapped_column(_MOMENT, index=True)


class Job(Base):
    """A session."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    title: Mapped[str | None] = mapped_column(String(50))
    state: Mapped[str] = mapped_column(String(50), default="new")
    data: Mapped[Any] = mapped_column(_JSON, nullable=True)
    created_at: Mapped[datetime] = mapped_column(_MOMENT, default=_now)
    updated_at: Mapped[datetime] = mapped_column(_MOMENT, default=_now, onupdate=_now)
    deleted_at: Mapped[datetime | None] = mapped_column(_MOMENT, index=True)


class Step(Base):
    """A step of a session."""

    __tablename__ = "state_transitions"

    session_type: Mapped[str] = mapped_column(String(255), primary_key=True)
    session_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    from_state: Mapped[str | None] = mapped_column(String(255))
    to_state: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(_MOMENT)


class Notification(Base):
    """A notification."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("user_id", "number"),
        Index("ix_notifications_unread_first", "user_id", "read", "number"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    number: Mapped[int] = mapped_column(BigInteger)
    notification_type: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(255))
    message: Mapped[str] = mapped_column(Text)
    data: Mapped[Any] = mapped_column(_JSON, nullable=True)
    read: Mapped[bool] = mapped_column(Boolean, default=False)
    read_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    created_at: Mapped[datetime] = mapped_column(_MOMENT, default=_now)
    expires_at: Mapped[datetime | None] = mapped_column(_MOMENT, index=True)


class Counter(Base):
    """The number of a person's last notification."""

    __tablename__ = "notification_counters"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


class Event(Base):
    """An event."""

    __tablename__ = "tracked_events"
    __table_args__ = (
        Index("ix_tracked_events_user", "user_id", "occurred_at", "id"),
        Index("ix_tracked_events_type", "event_type", "occurred_at"),
        Index("ix_tracked_events_time", "occurred_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    event_type: Mapped[str] = mapped_column(String(100))
    event_data: Mapped[Any] = mapped_column(_JSON, nullable=True)
    occurred_at: Mapped[datetime] = mapped_column(_MOMENT, default=_now)


def _check_user(session: Session, user: str) -> None:
    found = session.scalar(
        select(User.user_id).where(User.user_id == user, User.deleted_at.is_(None))
    )
    if found is None:
        raise LookupError(user)


def _create(session: Session, user: str, title: str) -> str:
    _check_user(session, user)
    job = Job(user_id=user, title=title)
    session.add(job)
    session.flush()
    session.execute(
        insert(Step).values(
            session_type="job", session_id=job.id, number=1, to_state="new", at=_now()
        )
    )
    return job.id


def _merge(session: Session, key: str) -> None:
    job = session.scalars(
        select(Job).where(Job.id == key, Job.deleted_at.is_(None)).with_for_update()
    ).one()
    job.data = {**(job.data or {}), **service_work.PATCH}


def _move(session: Session, key: str, target: str) -> None:
    alive = (Job.id == key, Job.deleted_at.is_(None))
    source = session.scalars(select(Job.state).where(*alive)).one()
    session.execute(
        update(Job).where(*alive, Job.state == source).values(state=target),
        execution_options={"synchronize_session": False},
    )
    last = (
        select(func.coalesce(func.max(Step.number), 0) + 1)
        .where(Step.session_type == "job", Step.session_id == key)
        .scalar_subquery()
    )
    session.execute(
        insert(Step).values(
            session_type="job",
            session_id=key,
            number=last,
            from_state=source,
            to_state=target,
            at=_now(),
        )
    )


def _notify(session: Session, user: str, data: Any) -> None:
    _check_user(session, user)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    upsert: Any = sqlite.insert if is_sqlite else postgresql.insert
    number = session.execute(
        upsert(Counter)
        .values(user_id=user, last=1)
        .on_conflict_do_update(index_elements=["user_id"], set_={"last": Counter.last + 1})
        .returning(Counter.last)
    ).scalar_one()
    session.add(
        Notification(
            user_id=user,
            number=number,
            notification_type="info",
            title="Title",
            message="Text",
            data=data,
        )
    )
    session.flush()
    if not is_sqlite:
        session.execute(text("SELECT pg_notify('notifications', :user)"), {"user": user})


def _track(session: Session, user: str, data: Any) -> None:
    _check_user(session, user)
    session.add(Event(user_id=user, event_type="job", event_data=data))


@contextlib.contextmanager
def rounds(stage: Stage) -> Iterator[Trial]:
    """Do rounds by statements of one's own."""
    user = service_work.USER
    with engine_with_tables(stage.database_url, Base.metadata) as engine:
        sessions = sessionmaker(engine, expire_on_commit=False)
        with sessions.begin() as session:
            session.add(User(user_id=user, email="a@x", username=user))

        def work() -> None:
            for number in range(stage.size):
                with sessions.begin() as session:
                    key = _create(session, user, f"Job {number}")
                with sessions.begin() as session:
                    _merge(session, key)
                with sessions.begin() as session:
                    _move(session, key, "busy")
                with sessions.begin() as session:
                    session.scalars(
                        select(Job).where(Job.id == key, Job.deleted_at.is_(None))
                    ).one()
                with sessions.begin() as session:
                    _notify(session, user, {"job": key})
                with sessions.begin() as session:
                    _track(session, user, {"job": key})

        yield Trial(work=work, check=lambda: service_work.stored(stage.database_url))
