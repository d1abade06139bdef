"""Advanced Alchemy's repository, as its documentation advises."""

import contextlib
from collections.abc import Iterator
from datetime import datetime

from advanced_alchemy.base import DefaultBase
from advanced_alchemy.repository import SQLAlchemySyncRepository
from benchmarks.contenders import readings
from benchmarks.contenders.engines import engine_with_tables
from benchmarks.harness.stage import Stage, Trial
from sqlalchemy import DateTime, String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column


class Reading(DefaultBase):
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


class Readings(SQLAlchemySyncRepository[Reading]):
    """The repository of the readings."""

    model_type = Reading


@contextlib.contextmanager
def bulk_insert(stage: Stage) -> Iterator[Trial]:
    """Add all rows by one call of the repository."""
    rows = readings.rows(stage.size)
    with engine_with_tables(stage.database_url, Reading.metadata) as engine:

        def work() -> None:
            with Session(engine, expire_on_commit=False) as session:
                Readings(session=session).add_many([Reading(**row) for row in rows])
                session.commit()

        yield Trial(work=work, check=lambda: readings.stored(stage.database_url))
