"""An engine set up as Timber sets up its own, for those who use SQLAlchemy by hand."""

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy import Engine, MetaData, create_engine, event


@contextlib.contextmanager
def engine_with_tables(database_url: str, metadata: MetaData) -> Iterator[Engine]:
    """Give an engine whose database promises what Timber's promises, and has the tables."""
    engine = create_engine(database_url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
