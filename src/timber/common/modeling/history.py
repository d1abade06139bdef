"""The history of sessions goes with the session: nothing else says whose it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, event, inspect

HISTORY: Final = "state_transitions"


@dataclass(frozen=True)
class HistoryOfRows:
    """What is known of the states that the rows of one table have been in."""

    table: Table
    session_type: str

    def forget(self, connection: Connection, keys: Sequence[Sequence[Any]]) -> None:
        """Delete the history of rows with these primary keys, which go in the same transaction."""
        about = self.table.c.session_id.in_([str(key[0]) for key in keys])
        connection.execute(
            delete(self.table).where(self.table.c.session_type == self.session_type, about)
        )


def history_of(model: type[Any]) -> HistoryOfRows | None:
    """Return the history of the rows of a model; None if they are no sessions."""
    table: Table = model.__table__
    session_type: str | None = model.__timber__.session_type
    kept = table.metadata.tables.get(HISTORY)
    if session_type is None or kept is None or len(table.primary_key) != 1:
        return None
    return HistoryOfRows(kept, session_type)


def forget_with_rows(model: type[Any]) -> None:
    """Have the history of a model's row go when a session deletes the row."""
    history = history_of(model)
    if history is None:
        return

    def forget(_mapper: Any, connection: Connection, row: Any) -> None:
        history.forget(connection, [inspect(row).identity])

    event.listen(model, "after_delete", forget)
