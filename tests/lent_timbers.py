"""Timbers that stay open from test to test: opening one costs more than most tests do."""

import contextlib
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Self, TypeAlias

from sqlalchemy import text

from timber.common.runtime import Timber
from timber.testing.database import empty_tables
from timber.testing.postgresql import PostgresqlServer

_POINTING: Final = """
WITH RECURSIVE pointing AS (
    SELECT oid FROM pg_class
    WHERE relnamespace = to_regnamespace(current_schema()) AND relname = ANY(:names)
    UNION
    SELECT conrelid FROM pg_constraint JOIN pointing ON confrelid = pointing.oid
    WHERE contype = 'f'
)
SELECT oid::regclass::text FROM pointing
"""
"""The tables of the models, and those that lie beside them and point to them, such as vectors."""

_BEGIN_COUNTING_ANEW: Final = """
SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences
WHERE schemaname = current_schema() AND last_value IS NOT NULL
"""

OpenAt: TypeAlias = Callable[[str], AbstractContextManager[Timber]]
"""Opens a Timber over the database of a URL."""


def empty(timber: Timber) -> None:
    """Delete every row of its models.

    On PostgreSQL, to truncate a few tables costs forty times what it costs to delete a few rows.
    """
    with timber.database.engine.begin() as connection:
        if connection.dialect.name != "postgresql":
            empty_tables(connection, timber.base.metadata)
            return
        tables = connection.scalars(text(_POINTING), {"names": [*timber.base.metadata.tables]})
        deletions = "; ".join(f"DELETE FROM {name}" for name in tables)
        # Without this, no order would do where tables point to each other.
        connection.exec_driver_sql(f"SET LOCAL session_replication_role = replica; {deletions}")
        connection.exec_driver_sql(_BEGIN_COUNTING_ANEW.replace("%", "%%"))


class Lender:
    """Lends one Timber for each kind of database, with nothing in its tables or its cache.

    What a test changes beside rows, it puts right or does to a Timber of its own.
    """

    def __init__(self, folder: Path, server: PostgresqlServer | None, open_at: OpenAt) -> None:
        self._folder = folder
        self._server = server
        self._open_at = open_at
        self._opened: dict[str, tuple[str, Timber]] = {}
        self._closing = contextlib.ExitStack()

    @classmethod
    @contextlib.contextmanager
    def open(
        cls, folder: Path, server: PostgresqlServer | None, open_at: OpenAt
    ) -> Generator[Self]:
        """Give a lender, without a server of SQLite only; what it opened is closed in the end."""
        lender = cls(folder, server, open_at)
        with lender._closing:
            yield lender

    def url(self, kind: str) -> str:
        """Return the URL of the database of a kind, open and empty."""
        if kind not in self._opened:
            self._opened[kind] = self._open(kind)
        url, timber = self._opened[kind]
        empty(timber)
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
                assert self._server is not None, "it was given no server"
                url = self._closing.enter_context(self._server.database())
        return url, self._closing.enter_context(self._open_at(url))
