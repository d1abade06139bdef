"""Which steps a database has seen: a table in the database itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    inspect,
    select,
)

from timber.common.database.schema import HISTORY_TABLE
from timber.common.modeling.column_types import UtcDateTime

_TABLE: Final = Table(
    HISTORY_TABLE,
    MetaData(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("revision", String(255), nullable=False, unique=True),
    Column("checksum", String(64), nullable=False),
    Column("description", Text, nullable=False),
    Column("applied_at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class Applied:
    """A step that a database has seen."""

    revision: str
    checksum: str
    """Of the file as it was when it was applied."""
    description: str
    applied_at: datetime


def read_history(connection: Connection) -> tuple[Applied, ...]:
    """Return the steps that the database has seen, the first one first."""
    if not inspect(connection).has_table(HISTORY_TABLE):
        return ()
    columns = [_TABLE.c[name] for name in Applied.__dataclass_fields__]
    rows = connection.execute(select(*columns).order_by(_TABLE.c.position))
    return tuple(Applied(*row) for row in rows)


def record(connection: Connection, applied: Applied) -> None:
    """Note a step that has just been applied."""
    _TABLE.create(connection, checkfirst=True)
    position = len(read_history(connection)) + 1
    connection.execute(insert(_TABLE).values(position=position, **vars(applied)))


def strike(connection: Connection, revision: str) -> None:
    """Forget a step that has just been rolled back."""
    connection.execute(delete(_TABLE).where(_TABLE.c.revision == revision))
