"""Rows that are sealed anew with another key: their bytes change, and nothing of what they say."""

import contextlib
from collections.abc import Generator
from typing import Final

from sqlalchemy import Connection, text

from timber.common.vector.row_triggers import OUTBOX, UNHEARD

_BEGIN: Final = text(
    f"INSERT INTO {OUTBOX} (source_type, source_id, attempts) VALUES ('', 'sealed anew', 0)"
)
_END: Final = text(f"DELETE FROM {OUTBOX} WHERE source_type = ''")
_SET: Final = text("SELECT set_config(:name, :value, true)")


@contextlib.contextmanager
def unheard(connection: Connection) -> Generator[None]:
    """Let the triggers that follow rows leave alone what this transaction writes in a block.

    Nobody else sees the sign of it, and no end of the process leaves it behind: it goes with the
    transaction.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(_BEGIN)
        yield
        connection.execute(_END)
    else:
        connection.execute(_SET, {"name": UNHEARD, "value": "on"})
        yield
        connection.execute(_SET, {"name": UNHEARD, "value": ""})
