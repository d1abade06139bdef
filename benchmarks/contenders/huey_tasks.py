"""huey: tasks queued in an SQLite file, each taken, done, and its result kept there."""

import contextlib
from collections.abc import Iterator
from typing import Any

from benchmarks.harness.stage import Stage, Trial
from huey import Huey
from huey.storage import SqliteStorage
from typing_extensions import override


class _Storage(SqliteStorage):
    synchronous = "FULL"

    @override
    def _create_connection(self) -> Any:
        connection = super()._create_connection()
        connection.execute(f"PRAGMA synchronous = {self.synchronous}")
        return connection


class _Normal(_Storage):
    synchronous = "NORMAL"


@contextlib.contextmanager
def _trial(stage: Stage, storage: type[_Storage]) -> Iterator[Trial]:
    queue = Huey(storage_class=storage, filename=str(stage.folder / "huey.db"))

    @queue.task()
    def remember(number: int) -> str:
        return f"I took turn {number}"

    def work() -> None:
        for number in range(stage.size):
            remember(number)
        while (task := queue.dequeue()) is not None:
            queue.execute(task)

    def check() -> dict[str, Any]:
        return {"turns": queue.result_count()}

    yield Trial(work=work, check=check)


@contextlib.contextmanager
def normal(stage: Stage) -> Iterator[Trial]:
    """Do so many tasks with `synchronous=NORMAL`."""
    with _trial(stage, _Normal) as trial:
        yield trial


@contextlib.contextmanager
def full(stage: Stage) -> Iterator[Trial]:
    """Do so many tasks with `synchronous=FULL`."""
    with _trial(stage, _Storage) as trial:
        yield trial
