"""Filled databases, each filled once for all the benchmarks that read it."""

import contextlib
from collections.abc import Callable
from typing import Self

from benchmarks.harness.benchmark import DatabaseKind
from benchmarks.harness.databases import Databases
from benchmarks.harness.worker import Job


class PreparedDatabases:
    """Fills databases when they are first asked for, and keeps them to the end."""

    def __init__(self, databases: Databases, *, fill: Callable[[Job], object]) -> None:
        self._databases = databases
        self._fill = fill
        self._urls: dict[tuple[str, DatabaseKind | None, int], str] = {}
        self._resources = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def url(self, prepare: str, kind: DatabaseKind | None, size: int) -> str:
        """Return the URL of a database that the contender `prepare` has filled.

        Raises:
            BenchmarkError: it could not.

        """
        wanted = (prepare, kind, size)
        if wanted not in self._urls:
            url = self._resources.enter_context(self._databases.empty(kind))
            with self._databases.folder() as folder:
                self._fill(Job(contender=prepare, size=size, database_url=url, folder=str(folder)))
            self._urls[wanted] = url
        return self._urls[wanted]
