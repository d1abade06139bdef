"""Transactions that write with keys, so that who destroys keys knows of them.

A number in the database of the data, its epoch, is raised before keys are destroyed, or come
into use. Whoever seals something in a transaction first leases what he knows: he makes himself
known, and then looks whether the epoch is still the one that he knows; if not, he asks the
keystore anew. So who raises the epoch and then waits for the leases of former ones (`epochs`, of
the keys) knows that nobody writes any more with what was known before, however long a process
stood still between sealing and writing.

- PostgreSQL: the epoch is the value of a sequence, which is the same at every isolation level. A
  lease is an advisory lock, shared, on that number; it costs a round trip for a transaction.
- SQLite has one writer at a time, so the lease is the right to write, and the epoch in a table.
"""

import sqlite3
import weakref
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from timber.common.errors import PlaintextRefusedError

EPOCH: Final = "timber_keys_epoch"
"""The sequence, or the table, in the database of the data."""
LOCKS: Final = 1_684_957_527
"""The first number of the locks on PostgreSQL; chosen at random, so that nobody else uses it."""
_LEASE: Final = "timber_lease"
_LEASED: Final = (
    f"SELECT pg_advisory_xact_lock_shared({LOCKS}, {{}}); SELECT last_value FROM {EPOCH}"  # noqa: S608 - numbers
)
_READ: Final = f"SELECT epoch FROM {EPOCH}"  # noqa: S608 - a name of ours


class Known(Protocol):
    """What a process knows of keys, and as of which epoch."""

    epoch: int

    def refresh(self) -> None:
        """Ask the keystore for changes."""
        ...


def lease(connection: Connection, known: Known) -> None:
    """Let nobody destroy what is known of keys before the transaction ends.

    Once for each transaction; what is known is refreshed when it is outdated.

    Raises:
        PlaintextRefusedError: the connection has no transactions, but commits each statement.
        KeystoreError: the keystore cannot be read.

    """
    held = connection.info.get(_LEASE)
    transaction: Any = None if held is None else held()
    if transaction is not None and transaction.is_active:
        return
    driver: Any = connection.connection.driver_connection
    is_sqlite = isinstance(driver, sqlite3.Connection)
    if driver.isolation_level is None if is_sqlite else driver.autocommit:
        raise PlaintextRefusedError(
            "what is sealed is written in a transaction, for its key must live until the commit: "
            "do not write it in AUTOCOMMIT"
        )
    if not connection.in_transaction():
        connection.begin()  # as the statement would that is about to be executed
    # A lock that was taken in a savepoint goes when that is rolled back.
    transaction = connection.get_nested_transaction() or connection.get_transaction()
    if not transaction.is_active:
        return  # which SQLAlchemy is about to say
    take = _take_on_sqlite if is_sqlite else _take_on_postgresql
    while (epoch := take(driver, known.epoch)) != known.epoch:
        known.refresh()
        known.epoch = epoch
    connection.info[_LEASE] = weakref.ref(transaction)


def _take_on_sqlite(driver: sqlite3.Connection, _known: int) -> int:
    if not driver.in_transaction:
        driver.execute("BEGIN IMMEDIATE")
    [epoch] = driver.execute(_READ).fetchone()
    return int(epoch)


def _take_on_postgresql(driver: Any, known: int) -> int:
    # Two statements on one way: the second sees what was committed before it has the lock.
    with driver.cursor() as cursor:
        cursor.execute(_LEASED.format(known))
        cursor.nextset()
        [epoch] = cursor.fetchone()
    return int(epoch)
