"""A moment in which nobody writes to some tables, for a last look at what is in them.

Without it, a transaction that wrote before the look and commits after it would leave rows behind
a certificate that says that there are none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table

from timber.common.database.sqlite_transactions import begin
from timber.common.errors import ContentionError, ErasureError, SerializationError

LONGEST_SECONDS: Final = 600.0
_LOOK_SECONDS: Final = 0.05
_STALL_SECONDS: Final = 0.25
"""For so long writers wait at most for one who waits for them, at a time."""


class _StillWriting(Exception):  # noqa: N818 - it is caught here, and nobody's error
    """Others have written to the tables, and have not committed."""


@dataclass(frozen=True, kw_only=True)
class Standstill:
    """Has work done while nobody writes."""

    transact: Callable[[Callable[[Connection], Any]], Any]
    sleep: Callable[[float], None]
    longest_seconds: float

    def do(self, tables: Sequence[Table], work: Callable[[Connection], None]) -> None:
        """Do the work in a transaction that sees all that was written to the tables.

        On PostgreSQL who writes meanwhile waits for its end, and, while others are waited for, a
        quarter of a second at a time. On SQLite one transaction writes at a time anyway.

        Raises:
            ErasureError: there was no moment without a transaction that had written to them.

        """

        def alone(connection: Connection) -> None:
            _hold(connection, tables)
            work(connection)

        for _ in range(max(1, round(self.longest_seconds / (_STALL_SECONDS + _LOOK_SECONDS)))):
            try:
                self.transact(alone)
            except _StillWriting:
                self.sleep(_LOOK_SECONDS)
            else:
                return
        raise ErasureError(
            f"transactions that wrote to {', '.join(one.name for one in tables)} have been open "
            f"for {self.longest_seconds:.0f} s, and may hold rows about the person: end them "
            "(pg_stat_activity tells which they are), and erase again; it goes on"
        )


def _hold(connection: Connection, tables: Sequence[Table]) -> None:
    if connection.dialect.name == "sqlite":
        begin(connection)
        return
    named = ", ".join(map(connection.dialect.identifier_preparer.format_table, tables))
    if not named:
        return
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_STALL_SECONDS * 1000:.0f}ms'")
    try:
        connection.exec_driver_sql(f"LOCK TABLE {named} IN SHARE MODE")
    except SerializationError:
        raise
    except ContentionError as error:
        raise _StillWriting from error
    connection.exec_driver_sql("SET LOCAL lock_timeout TO DEFAULT")
