"""SQLModel, as its documentation advises."""

import contextlib
from collections.abc import Iterator
from datetime import datetime

from benchmarks.contenders import readings
from benchmarks.contenders.engines import engine_with_tables
from benchmarks.harness.stage import Stage, Trial
from sqlmodel import DateTime, Field, Session, SQLModel, String, Text


class Reading(SQLModel, table=True):
    """A row of `readings`."""

    __tablename__ = "readings"

    id: str = Field(primary_key=True, max_length=36)
    owner_id: str = Field(index=True, max_length=36)
    kind: str = Field(max_length=20)
    title: str = Field(max_length=100)
    body: str = Field(sa_type=Text)
    rank: int
    price: float
    is_open: bool
    note: str | None = Field(default=None, sa_type=String(50))
    made_at: datetime = Field(sa_type=DateTime(timezone=True))


@contextlib.contextmanager
def bulk_insert(stage: Stage) -> Iterator[Trial]:
    """Add all rows to one session."""
    rows = readings.rows(stage.size)
    with engine_with_tables(stage.database_url, SQLModel.metadata) as engine:

        def work() -> None:
            with Session(engine) as session:
                session.add_all([Reading(**row) for row in rows])
                session.commit()

        yield Trial(work=work, check=lambda: readings.stored(stage.database_url))
