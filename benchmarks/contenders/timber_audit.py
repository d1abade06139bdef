"""Timber, over the model file of the readings with an audit of all their columns."""

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
    said = readings.MODEL + "    audit: {enabled: true, reads: true}\n"
    stage.folder.joinpath("readings.yaml").write_text(said, encoding="utf-8")
    settings = TimberSettings(
        database_url=stage.database_url,
        model_config_dirs=(stage.folder,),
        packaged_models=False,
        keystore=str(stage.folder / "keys"),
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
def load(stage: Stage) -> Iterator[Trial]:
    """Load every row as an object, and wait until that is recorded."""
    recorded = 0
    with _opened(stage) as (timber, reading):
        timber.database.bulk_insert(reading, readings.rows(stage.size))

        def work() -> None:
            nonlocal recorded
            with timber.database.session_scope() as session:
                session.scalars(select(reading)).all()
            timber.audit.flush()
            recorded = stage.size

        def check() -> dict[str, int]:
            found = sum(1 for _ in timber.audit.log(operation="read"))
            return {"rows": min(found, recorded)}

        yield Trial(work=work, check=check)


@contextlib.contextmanager
def verify(stage: Stage) -> Iterator[Trial]:
    """Verify the log of that many rows."""
    facts = {"entries": 0, "problems": 0}
    with _opened(stage) as (timber, reading):
        timber.database.bulk_insert(reading, readings.rows(stage.size))

        def work() -> None:
            found = timber.audit.verify()
            facts.update(entries=found.entries, problems=len(found.problems))

        yield Trial(work=work, check=lambda: facts)
