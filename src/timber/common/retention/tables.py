"""The tables that are held as a whole, whatever their rules say."""

from typing import Final

from sqlalchemy import Column, Connection, MetaData, Table, Text

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
