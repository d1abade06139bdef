"""When a transaction on SQLite begins: before its first write, holding the right to write.

Python's driver begins one before INSERT, UPDATE and DELETE, so a session that only reads
never stands in a writer's way, however long it stays open.
Four things that go wrong are put right here:

- It begins without the right to write. Whoever reads and then writes can find that another
  has written in between, and fails at once instead of waiting. So `BEGIN IMMEDIATE`.
- A SAVEPOINT outside a transaction is one itself, and its RELEASE commits. So it begins one.
- `WITH … INSERT` does not look like a write to it. SQLAlchemy knows, so it begins one.
- A COMMIT that is refused, as by a deferred foreign key, leaves the transaction open. SQLAlchemy
  takes it for ended, so whoever got the connection next would commit it. So it is rolled back.

`SELECT … FOR UPDATE` begins one too: on SQLite as on PostgreSQL, what was read with
`with_for_update()` stays as it is until the transaction ends.
"""

import sqlite3
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

_BEGIN: Final = "BEGIN IMMEDIATE"
_NORMAL: Final = 1
"""Of `PRAGMA synchronous`: in WAL mode the highest with which no commit waits for the disk."""
_USUAL: Final = "timber_synchronous"
"""Of a connection in whose info this is: what it is to have again."""
_DRIVERS_OWN: Final = ("INSERT ", "UPDATE ", "DELETE ")
"""Before what begins so, the driver itself begins, as `_be_immediate` has told it to."""


def begin_early(engine: Engine) -> None:
    """Make the engine's transactions begin as this module says."""
    # Events of the dialect: those of the engine make every connection a tenth slower.
    event.listen(engine, "connect", _be_immediate)
    event.listen(engine, "do_execute", _before_statement)
    event.listen(engine, "do_executemany", _before_statement)
    event.listen(engine, "checkin", _end)


def begin(connection: Connection, *, lasts: bool = True) -> None:
    """Begin a transaction that may write, waiting for others; do nothing inside one.

    Where what it writes can be made again, it need not last: then no commit waits for the disk
    until the connection goes back to its pool. It survives the process all the same; a loss of
    power takes it only together with all that was committed after it.
    """
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection) and not driver.in_transaction:
        if not lasts:
            _wait_for_no_disk(connection, driver)
        connection.exec_driver_sql(_BEGIN)


def writes(connection: Connection) -> bool:
    """Tell whether a connection to SQLite is in a transaction that may write."""
    driver = connection.connection.driver_connection
    return isinstance(driver, sqlite3.Connection) and driver.in_transaction


def _be_immediate(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"


def _wait_for_no_disk(connection: Connection, driver: sqlite3.Connection) -> None:
    (usual,) = driver.execute("PRAGMA synchronous").fetchone()
    if usual > _NORMAL:
        connection.info[_USUAL] = usual
        driver.execute(f"PRAGMA synchronous = {_NORMAL}")


def _end(connection: sqlite3.Connection | None, record: ConnectionPoolEntry) -> None:
    if connection is None:
        return
    if connection.in_transaction:
        connection.rollback()
    usual = record.info.pop(_USUAL, None)
    if usual is not None:
        connection.execute(f"PRAGMA synchronous = {usual}")


def _before_statement(
    cursor: sqlite3.Cursor, statement: str, _parameters: Any, context: Any
) -> None:
    if statement.startswith(_DRIVERS_OWN) or context is None or context.compiled is None:
        return
    if cursor.connection.in_transaction:
        return
    if _writes(context) or _locks(context.compiled) or statement.startswith("SAVEPOINT "):
        cursor.execute(_BEGIN)


def _writes(context: Any) -> bool:
    return bool(context.isinsert or context.isupdate or context.isdelete)


def _locks(compiled: Any) -> bool:
    statement = getattr(compiled, "statement", None)
    return getattr(statement, "_for_update_arg", None) is not None
