"""Uniqueness while the root of the blind indexes is renewed, and two versions are in use.

A unique index knows nothing of two hashes that stand for one value. So whoever writes a value
first holds it, and then takes the hash under which the value is there already, if it is: the
unique index then judges as ever. Held is a value by its lowest hash, which all processes agree on.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, UniqueConstraint, select, text


def hold_values(connection: Connection, values: Sequence[bytes]) -> bool:
    """Hold values until the transaction ends; return whether nobody else holds any of them.

    Does not wait. On SQLite there is one writer, so nothing needs to be held.
    """
    if connection.dialect.name == "sqlite":
        return True
    attempt = text("SELECT pg_try_advisory_xact_lock(:number)")
    return all(
        connection.execute(attempt, {"number": _number(value)}).scalar_one()
        for value in sorted(values)
    )


def settled_hashes(
    connection: Connection, column: Column[Any], values: Sequence[tuple[bytes, ...]]
) -> list[bytes]:
    """Return with which of its hashes each value is to be written into the index `column`.

    The newest first in each; values are held until the transaction ends.
    """
    if connection.dialect.name != "sqlite":
        hold = text("SELECT pg_advisory_xact_lock(:number)")
        for number in sorted({_number(min(hashes)) for hashes in values}):
            connection.execute(hold, {"number": number})
    older = sorted({one for hashes in values for one in hashes[1:]})
    # Locked, so that a snapshot that is too old is told, and SQLite has begun to write.
    there = select(column).where(column.in_(older)).with_for_update(read=True)
    found = {bytes(one) for one in connection.scalars(there)}
    return [next((one for one in hashes[1:] if one in found), hashes[0]) for hashes in values]


def is_unique(table: Table, index: Column[Any]) -> bool:
    """Tell whether a rule of the table forbids two rows with one value of that index."""
    rules = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    return any(index.name in one.columns for one in rules) or any(
        index.name in one.columns for one in table.indexes if one.unique
    )


def _number(value: bytes) -> int:
    """Return the 64 bits under which PostgreSQL locks a value, of its hash."""
    return int.from_bytes(value[1:9], "big", signed=True)
