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


def normal(stage: Stage) -> contextlib.AbstractContextManager[Trial]:
    """Do so many tasks with `synchronous=NORMAL`."""
    return _trial(stage, _Normal)


def full(stage: Stage) -> contextlib.AbstractContextManager[Trial]:
    """Do so many tasks with `synchronous=FULL`."""
    return _trial(stage, _Storage)
