"""Sets foreign keys of SQLite aside, which it follows even while tables are dropped.

SQLite drops a table by deleting its rows first, and then does to the rows that point to them
what their foreign keys say. So a table that is copied anew would take others' rows with it, and
of tables that form a circle the last cannot be dropped: what it points to is gone.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, MetaData, event


@contextmanager
def without_references(connection: Connection) -> Generator[None]:
    """Keep SQLite from following foreign keys; what was not committed in the end is undone.

    It must begin outside a transaction. On other databases it does nothing.
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.rollback()
        driver.execute("PRAGMA foreign_keys = ON")


def drop_in_any_order(metadata: MetaData) -> None:
    """Let `drop_all` of the metadata drop tables of SQLite that form a circle."""
    event.listen(metadata, "before_drop", _set_aside)
    event.listen(metadata, "after_drop", _follow_again)


def _set_aside(_metadata: MetaData, connection: Connection, **_: Any) -> None:
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection) and not driver.in_transaction:
        # Should the drop fail, nobody else gets a connection that follows no foreign keys.
        connection.detach()
        driver.execute("PRAGMA foreign_keys = OFF")


def _follow_again(_metadata: MetaData, connection: Connection, **_: Any) -> None:
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.execute("PRAGMA foreign_keys = ON")
