"""The tables that are held as a whole, whatever their rules say."""

from typing import Final

from sqlalchemy import Column, Connection, MetaData, Table, Text, select

from timber.common.modeling.stored_types import UtcDateTime

RETENTION_METADATA: Final = MetaData()
"""Not that of the models: what empties their tables leaves it alone."""

HOLDS: Final = Table(
    "timber_retention_holds",
    RETENTION_METADATA,
    Column("table_name", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("held_since", UtcDateTime, nullable=False),
)


def complete_holds(connection: Connection) -> None:
    """Make the table if it is missing."""
    RETENTION_METADATA.create_all(connection)


def read_holds(connection: Connection, *, keeping: bool = False) -> dict[str, str]:
    """Return the tables that are held, and why; with `keeping`, nobody adds one meanwhile.

    Then whoever holds a table waits until the transaction has ended: when he is told that the
    table is held, nothing of it goes any more. On SQLite a transaction that writes is alone.
    """
    if not connection.dialect.has_table(connection, HOLDS.name):
        return {}
    if keeping and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {HOLDS.name} IN SHARE MODE")
    rows = connection.execute(select(HOLDS.c.table_name, HOLDS.c.reason)).all()
    return {row.table_name: row.reason for row in rows}
