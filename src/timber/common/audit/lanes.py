"""Where entries are appended: to the end of a lane that nobody else writes to meanwhile.

A single chain would have all writers wait for each other's commits. So there are several on
PostgreSQL, each held by one transaction at a time; a transaction takes any that is free, and only
one, so nobody waits for two. SQLite has one writer, and one lane.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite

from timber.common.audit.apart import Apart
from timber.common.audit.chain import Entry, first_hash, next_hash
from timber.common.audit.tables import LANES, LOG, PENDING, TAKE_LANE
from timber.common.database.driver_errors import translated
from timber.common.errors import DatabaseUnavailableError

OWN: Final = "transaction = CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"
"""Of what is noted on PostgreSQL: that this transaction has noted it."""
_SQLITE: Final = sqlite.dialect()
_FROM_HERE_BY_COPY: Final = 20
_USUAL: Final = "read committed"
_COLUMNS: Final = tuple(one.name for one in LOG.columns)
_PLACE: Final = _COLUMNS.index("hash")
_BEFORE: Final = attrgetter(*_COLUMNS[:_PLACE])
_AFTER: Final = attrgetter(*_COLUMNS[_PLACE + 1 :])
_LISTED: Final = ", ".join(_COLUMNS)
_LAST: Final = (
    f"SELECT position, hash FROM {LOG.name} WHERE lane = {{}} ORDER BY position DESC LIMIT 1"
)


@dataclass
class Tail:
    """The end of a lane, as it grows."""

    lane: int
    position: int
    hash: bytes
    key: bytes = field(repr=False)
    batch: int = 0
    """The position of the transaction's first entry."""

    def append(self, entry: Entry) -> bytes:
        """Put an entry at the end, and return its hash."""
        self.hash = next_hash(self.key, self.hash, entry)
        self.position = entry.position
        return self.hash


def taken_tail(connection: Connection, apart: Apart, key: bytes) -> Tail:
    """Take a lane for as long as the transaction lasts, and return its end."""
    if connection.dialect.name == "sqlite":
        [*last] = run(connection, _LAST.format(0))
        return _tail(0, last[0] if last else (None, None), key)
    driver: Any = connection.connection.driver_connection
    start = driver.info.backend_pid % LANES
    [(lane, position, hashed, isolation)] = run(
        connection, f"SELECT lane, head, head_hash, isolation FROM {TAKE_LANE}(%s)", (start,)
    )
    if isolation == _USUAL:
        return _tail(lane, (position, hashed), key)
    # This transaction sees what was there when it began; the end of the lane is newer.
    return _tail(lane, _end_now(apart, lane), key)


def _end_now(apart: Apart, lane: int) -> tuple[Any, Any]:
    statement = _LAST.format(lane)
    try:
        with apart.begin() as fresh:
            found = fresh.exec_driver_sql(statement).first()
    except DatabaseUnavailableError:  # such as a server that was started anew: once more
        with apart.begin() as fresh:
            found = fresh.exec_driver_sql(statement).first()
    return (None, None) if found is None else (found.position, found.hash)


def _tail(lane: int, last: tuple[Any, Any], key: bytes) -> Tail:
    position, hashed = last
    if position is None:
        return Tail(lane, 0, first_hash(key, lane), key)
    return Tail(lane, position, bytes(hashed), key)


def run(connection: Connection, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
    """Run a statement on the driver's own cursor, and return the rows it gives.

    It is no write of a model, so nobody else need be told; and it is part of every transaction.
    """
    cursor: Any = connection.connection.cursor()
    try:
        with translated():
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        cursor.close()


def store(
    connection: Connection,
    rows: Sequence[tuple[Entry, bytes]],
    chained: tuple[int, int] | None = None,
) -> None:
    """Store entries with their hashes; what was `chained`, from and up to, is noted no more."""
    values = [(*_BEFORE(entry), hashed, *_AFTER(entry)) for entry, hashed in rows]
    cursor: Any = connection.connection.cursor()
    try:
        with translated():
            if connection.dialect.name == "sqlite":
                _store_sqlite(cursor, values, chained)
            else:
                _store_postgresql(cursor, values, chained)
    finally:
        cursor.close()


def _store_postgresql(
    cursor: Any, values: list[tuple[Any, ...]], chained: tuple[int, int] | None
) -> None:
    forget = f"DELETE FROM {PENDING.name} WHERE sequence > %s AND sequence <= %s AND {OWN}"
    if len(values) >= _FROM_HERE_BY_COPY:
        with cursor.copy(f"COPY {LOG.name} ({_LISTED}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
        if chained:
            cursor.execute(forget, chained)
        return
    places = ", ".join([f"({', '.join(['%s'] * len(_COLUMNS))})"] * len(values))
    before = f"WITH forgotten AS ({forget}) " if chained else ""
    flat = tuple(value for row in values for value in row)
    cursor.execute(
        f"{before}INSERT INTO {LOG.name} ({_LISTED}) VALUES {places}", (*(chained or ()), *flat)
    )


def _store_sqlite(
    cursor: Any, values: list[tuple[Any, ...]], chained: tuple[int, int] | None
) -> None:
    process: Any = LOG.c.moment.type.dialect_impl(_SQLITE).bind_processor(_SQLITE)
    place = _COLUMNS.index("moment")
    written = {moment: process(moment) for moment in {row[place] for row in values}}
    places = ", ".join("?" * len(_COLUMNS))
    cursor.executemany(
        f"INSERT INTO {LOG.name} ({_LISTED}) VALUES ({places})",
        [(*row[:place], written[row[place]], *row[place + 1 :]) for row in values],
    )
    if chained:
        cursor.execute(f"DELETE FROM {PENDING.name} WHERE sequence > ? AND sequence <= ?", chained)
