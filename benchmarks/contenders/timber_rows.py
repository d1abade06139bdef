"""Timber, over the model file of the readings."""

import contextlib
from collections.abc import Iterator
from typing import Any

from benchmarks.contenders import readings
from benchmarks.harness.stage import Stage, Trial
from sqlalchemy import select

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings


@contextlib.contextmanager
def _opened(stage: Stage) -> Iterator[tuple[Timber, type[Any]]]:
    stage.folder.joinpath("readings.yaml").write_text(readings.MODEL, encoding="utf-8")
    settings = TimberSettings(
        database_url=stage.database_url,
        model_config_dirs=(stage.folder,),
        packaged_models=False,
    )
    with Timber().opened(settings) as timber:
        yield timber, timber.models.get("Reading")


@contextlib.contextmanager
def bulk_insert(stage: Stage) -> Iterator[Trial]:
    """Insert all rows by one call."""
    rows = readings.rows(stage.size)
    with _opened(stage) as (timber, reading):

        def work() -> None:
            timber.database.bulk_insert(reading, rows)

        yield Trial(work=work, check=lambda: readings.stored(stage.database_url))


@contextlib.contextmanager
def create_one_by_one(stage: Stage) -> Iterator[Trial]:
    """Create rows by a session of their own each."""
    rows = readings.rows(stage.size)
    with _opened(stage) as (timber, reading):

        def work() -> None:
            for row in rows:
                with timber.database.session_scope() as session:
                    session.add(reading(**row))

        yield Trial(work=work, check=lambda: readings.stored(stage.database_url))


@contextlib.contextmanager
def stream(stage: Stage) -> Iterator[Trial]:
    """Read every row as an object, in parts."""
    count = 0
    with _opened(stage) as (timber, reading):

        def work(limit: int | None = None) -> None:
            nonlocal count
            with timber.database.stream(select(reading).limit(limit)) as rows:
                count = sum(1 for _ in rows)

        work(1)  # what is made once in a process is not of the stream
        yield Trial(work=work, check=lambda: {"rows": count})
