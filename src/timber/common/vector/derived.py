"""What is made of texts can be made again: to commit it needs no wait for the disk.

What tells that it is still to be made goes in the same transaction. So where a machine dies, and
the last of these transactions never were, all is made once more. PostgreSQL is told so here; of
SQLite see `begin` in `sqlite_transactions.py`.
"""

from typing import Any, Final

from sqlalchemy import Select, TextClause, literal_column, text

_NOT_WAITING: Final = "set_config('synchronous_commit', 'off', true)"
"""For the transaction that it is called in."""

ANY_UNREAD: Final[dict[str, TextClause]] = {
    "sqlite": text("SELECT 1 FROM vector_outbox LIMIT 1"),
    "postgresql": text(f"SELECT {_NOT_WAITING} FROM vector_outbox LIMIT 1"),
}
"""Whether any row is to be read; if so, as `not_waiting`."""


def not_waiting(statement: Select[Any]) -> Select[Any]:
    """Let the transaction, on PostgreSQL, not wait for the disk if the statement finds a row.

    Only where nothing else is written in it.
    """
    return statement.add_columns(literal_column(_NOT_WAITING))
