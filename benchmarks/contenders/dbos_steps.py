"""DBOS: workflows of one step each, journalled in an SQLite file."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.harness.stage import Stage, Trial
from dbos import DBOS
from sqlalchemy import create_engine, event, text

_THREADS = 16


@contextlib.contextmanager
def _trial(stage: Stage, synchronous: str) -> Iterator[Trial]:
    url = f"sqlite:///{stage.folder / 'dbos.db'}"
    engine = create_engine(url, connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # Eight times as fast as with what it sets by itself.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    DBOS(
        config={
            "name": "turns",
            "system_database_url": url,
            "system_database_engine": engine,
            "log_level": "ERROR",
        }
    )

    @DBOS.step()
    def remember(number: int) -> str:
        return f"I took turn {number}"

    @DBOS.workflow()
    def turn(number: int) -> str:
        return remember(number)

    DBOS.launch()

    def work() -> None:
        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(turn, range(stage.size)))

    def check() -> dict[str, Any]:
        done = text("SELECT count(*) FROM workflow_status WHERE status = 'SUCCESS'")
        with engine.connect() as connection:
            return {"turns": connection.execute(done).scalar_one()}

    yield Trial(work=work, check=check)
    DBOS.destroy()


@contextlib.contextmanager
def normal(stage: Stage) -> Iterator[Trial]:
    """Run so many workflows with `synchronous=NORMAL`."""
    with _trial(stage, "NORMAL") as trial:
        yield trial


@contextlib.contextmanager
def full(stage: Stage) -> Iterator[Trial]:
    """Run so many workflows with `synchronous=FULL`."""
    with _trial(stage, "FULL") as trial:
        yield trial
