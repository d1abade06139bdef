"""What was in plain text leaves the files of SQLite when it has been sealed."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine

from timber.common.errors import DatabaseError
from timber.common.failpoints import reach
from timber.common.migrations.sealed_rows import SealFailpoint

_log: Final = logging.getLogger(__name__)


@contextmanager
def overwriting(connection: Connection) -> Generator[None]:
    """Have SQLite overwrite with zeros what it frees, from before the transaction until after."""
    if connection.dialect.name != "sqlite":
        yield
        return
    before = connection.exec_driver_sql("PRAGMA secure_delete").scalar_one()
    connection.exec_driver_sql("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA secure_delete = {int(before)}")


def wipe(engine: Engine) -> None:
    """Take out of the files of SQLite what was freed before: copies of earlier days, and the log.

    What keeps others from that is told, and no error: the rows are sealed by now.
    """
    reach(SealFailpoint.COMMITTED)
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        if connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() != "wal":
            return  # in memory
        try:
            connection.exec_driver_sql("VACUUM")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        except DatabaseError as error:
            busy, why = True, str(error)
        else:
            why = "others read it"
    if busy:
        _log.warning(
            "rows were encrypted, but their former text may still lie in the files of the "
            "database (%s): run VACUUM, then PRAGMA wal_checkpoint(TRUNCATE), when nobody uses it",
            why,
        )
