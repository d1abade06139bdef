"""Reads by the drivers themselves, what every search reads on either kind of database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from timber.common.vector import postgresql_driver, sqlite_driver


def read(
    connection: Connection, statements: Mapping[str, str], given: dict[str, Any]
) -> list[Any]:
    """Return the rows that a statement reads, as tuples; it is written for each kind of database.

    Raises:
        DatabaseError: the database cannot be read.

    """
    dialect = connection.dialect.name
    fetched = sqlite_driver.fetched if dialect == "sqlite" else postgresql_driver.fetched
    return fetched(connection, statements[dialect], given)
