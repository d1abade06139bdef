"""Creates and drops tables, all or none, one process at a time."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Engine, MetaData, inspect, literal, select, table, text

from timber.common.database.attachments import differences
from timber.common.database.mismatch import mismatches
from timber.common.database.sqlite_references import without_references
from timber.common.database.sqlite_transactions import begin
from timber.common.errors import SchemaMismatchError

_LOCK: Final = 7_401_934_266_218_377_601
"""The advisory lock of PostgreSQL under which tables are made."""

HISTORY_TABLE: Final = "timber_migrations"
"""Where migrations note what they did."""


def create_tables(engine: Engine, metadata: MetaData) -> None:
    """Create the tables and indexes that are missing, and look at those that are there.

    Where migrations change the tables, nothing else does, not even to create one.

    Raises:
        SchemaMismatchError: tables that are there differ from those of the models.

    """
    with engine.begin() as connection:
        alone(connection)
        there = frozenset(inspect(connection).get_table_names())
        managed = is_managed(connection)
        if not managed:
            metadata.create_all(connection)
        found = mismatches(connection, metadata, tables=None if managed else there)
        _refuse((*found, *differences(connection, metadata).lines()))


def check_tables(engine: Engine, metadata: MetaData) -> None:
    """Look at the tables that are there, and change nothing.

    Raises:
        SchemaMismatchError: they differ from those of the models.

    """
    with engine.connect() as connection:
        there = frozenset(inspect(connection).get_table_names())
        managed = is_managed(connection)
        _refuse(mismatches(connection, metadata, tables=None if managed else there))


def _refuse(found: Sequence[str]) -> None:
    if found:
        listed = "".join(f"\n  - {one}" for one in found)
        raise SchemaMismatchError(f"the tables differ from the models:{listed}\nTo mend it")


def is_managed(connection: Connection) -> bool:
    """Tell whether migrations were applied to this database."""
    if not inspect(connection).has_table(HISTORY_TABLE):
        return False
    rows = connection.execute(select(literal(1)).select_from(table(HISTORY_TABLE)).limit(1))
    return rows.first() is not None


def drop_tables(engine: Engine, metadata: MetaData) -> None:
    """Drop every table of the metadata that is there, and what is in it."""
    with engine.connect() as connection, without_references(connection):
        alone(connection)
        metadata.drop_all(connection)
        connection.commit()


def alone(connection: Connection) -> None:
    """Wait until no other process changes tables, and keep them out until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    else:
        begin(connection)
