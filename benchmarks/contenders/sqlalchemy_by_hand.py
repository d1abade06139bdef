"""SQLAlchemy used directly, as its documentation advises."""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from benchmarks.contenders import readings
from benchmarks.contenders.engines import engine_with_tables
from benchmarks.harness.stage import Stage, Trial
from sqlalchemy import DateTime, String, Text, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

_PART: Final = 10_000


class Base(DeclarativeBase):
    """The base of the classes of this module."""


class Reading(Base):
    """A row of `readings`."""

    __tablename__ = "readings"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(36), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    rank: Mapped[int]
    price: Mapped[float]
    is_open: Mapped[bool]
    note: Mapped[str | None] = mapped_column(String(50))
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


_TABLE: Final = Base.metadata.tables["readings"]


@contextlib.contextmanager
def bulk_insert_core(stage: Stage) -> Iterator[Trial]:
    """Insert all rows with one statement of Core."""
    rows = readings.rows(stage.size)
    with engine_with_tables(stage.database_url, Base.metadata) as engine:

        def work() -> None:
            with engine.begin() as connection:
                connection.execute(insert(_TABLE), rows)

        yield Trial(work=work, check=lambda: readings.stored(stage.database_url))


@contextlib.contextmanager
def create_one_by_one(stage: Stage) -> Iterator[Trial]:
    """Create rows by a session of their own each."""
    rows = readings.rows(stage.size)
    with engine_with_tables(stage.database_url, Base.metadata) as engine:
        sessions = sessionmaker(engine, expire_on_commit=False)

        def work() -> None:
            for row in rows:
                with sessions.begin() as session:
                    session.add(Reading(**row))

        yield Trial(work=work, check=lambda: readings.stored(stage.database_url))


@contextlib.contextmanager
def read_by_key(stage: Stage) -> Iterator[Trial]:
    """Read rows by their keys from the database, in one session."""
    rows = readings.rows(stage.size)
    found = 0
    with engine_with_tables(stage.database_url, Base.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(insert(_TABLE), rows)

        def work() -> None:
            nonlocal found
            with Session(engine) as session:
                found = sum(session.get(Reading, row["id"]) is not None for row in rows)

        yield Trial(work=work, check=lambda: {"found": found})


@contextlib.contextmanager
def read_one_by_one(stage: Stage) -> Iterator[Trial]:
    """Read rows by their keys from the database, each in a session of its own."""
    rows = readings.rows(stage.size)
    found = 0
    with engine_with_tables(stage.database_url, Base.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(insert(_TABLE), rows)

        def work() -> None:
            nonlocal found
            found = 0
            for row in rows:
                with Session(engine) as session:
                    found += session.get(Reading, row["id"]) is not None

        yield Trial(work=work, check=lambda: {"found": found})


@contextlib.contextmanager
def fill(stage: Stage) -> Iterator[Trial]:
    """Fill the table for others to read, in parts, for it may be large."""
    rows = readings.each_row(stage.size)
    with engine_with_tables(stage.database_url, Base.metadata) as engine:

        def work() -> None:
            with engine.begin() as connection:
                while part := list(islice(rows, _PART)):
                    connection.execute(insert(_TABLE), part)

        yield Trial(work=work, check=lambda: readings.stored(stage.database_url))


@contextlib.contextmanager
def stream(stage: Stage) -> Iterator[Trial]:
    """Read every row as an object of the session, in parts."""
    count = 0
    with engine_with_tables(stage.database_url, Base.metadata) as engine:

        def work(limit: int | None = None) -> None:
            nonlocal count
            statement = select(Reading).limit(limit).execution_options(yield_per=500)
            with Session(engine) as session:
                count = sum(1 for _ in session.scalars(statement))

        work(1)  # what is made once in a process is not of the stream
        yield Trial(work=work, check=lambda: {"rows": count})
