"""SQLite's driver itself, for what every search reads: the way through SQLAlchemy is longer."""

import sqlite3
from typing import Any

from sqlalchemy import Connection

from timber.common.database.driver_errors import translated


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return the connection of the driver: SQLAlchemy's way there takes longer than a search."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(f"not a connection to SQLite: {connection.dialect.name}")
    return driver


def fetched(connection: Connection, statement: str, given: dict[str, Any]) -> list[Any]:
    """Return the rows that a statement reads, as tuples of what SQLite keeps.

    Raises:
        DatabaseError: the database cannot be read.

    """
    try:  # not a block that translates: it takes as long as some statements
        return driver_of(connection).execute(statement, given).fetchall()
    except sqlite3.Error as error:
        with translated():
            raise error from None
