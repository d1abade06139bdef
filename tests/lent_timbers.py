"""Timbers that stay open from test to test: opening one costs more than most tests do."""

import contextlib
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self, TypeAlias

from timber.common.runtime import Timber
from timber.testing.database import empty_tables
from timber.testing.postgresql import PostgresqlServer

OpenAt: TypeAlias = Callable[[str], AbstractContextManager[Timber]]
"""Opens a Timber over the database of a URL."""


class Lender:
    """Lends one Timber for each kind of database, with nothing in its tables or its cache.

    What a test changes beside rows, it puts right or does to a Timber of its own.
    """

    def __init__(self, folder: Path, server: PostgresqlServer, open_at: OpenAt) -> None:
        self._folder = folder
        self._server = server
        self._open_at = open_at
        self._opened: dict[str, tuple[str, Timber]] = {}
        self._closing = contextlib.ExitStack()

    @classmethod
    @contextlib.contextmanager
    def open(cls, folder: Path, server: PostgresqlServer, open_at: OpenAt) -> Generator[Self]:
        """Give a lender; what it opened is closed in the end."""
        lender = cls(folder, server, open_at)
        with lender._closing:
            yield lender

    def url(self, kind: str) -> str:
        """Return the URL of the database of a kind, open and empty."""
        if kind not in self._opened:
            self._opened[kind] = self._open(kind)
        url, timber = self._opened[kind]
        with timber.database.engine.begin() as connection:
            empty_tables(connection, timber.base.metadata)
        timber.cache.clear()
        return url

    def timber(self, url: str) -> Timber:
        """Return the Timber that is open over a database of this lender."""
        return next(timber for known, timber in self._opened.values() if known == url)

    def _open(self, kind: str) -> tuple[str, Timber]:
        match kind:
            case "memory":
                url = "sqlite:///:memory:"
            case "file":
                url = f"sqlite:///{self._folder}/lent.db"
            case _:
                url = self._closing.enter_context(self._server.database())
        return url, self._closing.enter_context(self._open_at(url))
