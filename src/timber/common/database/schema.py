"""Creates and drops tables, all or none, one process at a time."""

from typing import Final

from sqlalchemy import Connection, Engine, MetaData, text

from timber.common.database.sqlite_transactions import begin

_LOCK: Final = 7_401_934_266_218_377_601
"""The advisory lock of PostgreSQL under which tables are made."""


def create_tables(engine: Engine, metadata: MetaData) -> None:
    """Create the tables and indexes that are missing."""
    with engine.begin() as connection:
        alone(connection)
        metadata.create_all(connection)


def drop_tables(engine: Engine, metadata: MetaData) -> None:
    """Drop every table of the metadata that is there, and what is in it."""
    with engine.begin() as connection:
        alone(connection)
        metadata.drop_all(connection)


def alone(connection: Connection) -> None:
    """Wait until no other process changes tables, and keep them out until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    else:
        begin(connection)
