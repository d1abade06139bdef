"""Where entries are appended: to the end of a lane that nobody else writes to meanwhile.

A single chain would have all writers wait for each other's commits. So there are several on
PostgreSQL, each held by one transaction at a time; a transaction takes any that is free, and only
one, so nobody waits for two. SQLite has one writer, and one lane.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.dialects import sqlite

from timber.common.audit.chain import Entry, first_hash, next_hash
from timber.common.audit.tables import LOG
from timber.common.database.driver_errors import translated

LANES: Final = 16
"""How many transactions can end at once on PostgreSQL."""
_LOCK: Final = 1_953_064_293
"""The first half of the advisory locks of lanes."""
_FROM_HERE_BY_COPY: Final = 20
_USUAL: Final = "READ COMMITTED"
_SQLITE: Final = sqlite.dialect()

_COLUMNS: Final = tuple(one.name for one in LOG.columns)
_LISTED: Final = ", ".join(_COLUMNS)
_FREE: Final = text(
    "SELECT one FROM unnest(CAST(:lanes AS integer[])) AS one "
    f"WHERE pg_try_advisory_xact_lock({_LOCK}, one) LIMIT 1"
)


@dataclass
class Tail:
    """The end of a lane, as it grows."""

    lane: int
    position: int
    hash: bytes
    key: bytes

    def append(self, entry: Entry) -> bytes:
        """Put an entry at the end, and return its hash."""
        self.hash = next_hash(self.key, self.hash, entry)
        self.position = entry.position
        return self.hash


def taken_tail(connection: Connection, engine: Engine, key: bytes) -> Tail:
    """Take a lane for as long as the transaction lasts, and return its end."""
    if connection.dialect.name == "sqlite":
        return _tail(connection, 0, key)
    lane = _free_lane(connection)
    if _is_usual(connection):
        return _tail(connection, lane, key)
    # This transaction sees what was there when it began; the end of the lane is newer.
    with engine.connect() as fresh:
        return _tail(fresh, lane, key)


def _free_lane(connection: Connection) -> int:
    driver: Any = connection.connection.driver_connection
    start = driver.info.backend_pid % LANES
    lanes = [(start + step) % LANES for step in range(LANES)]
    lane = connection.scalar(_FREE, {"lanes": lanes})
    if lane is None:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK}, {start})"))
        return start
    return int(lane)


def _is_usual(connection: Connection) -> bool:
    level = connection.get_execution_options().get("isolation_level")
    if (level or connection.default_isolation_level) != _USUAL:
        return False
    driver: Any = connection.connection.driver_connection
    shown = driver.execute("SHOW transaction_isolation").fetchone()
    return bool(shown[0].upper() == _USUAL)


def _tail(connection: Connection, lane: int, key: bytes) -> Tail:
    last = connection.execute(
        select(LOG.c.position, LOG.c.hash)
        .where(LOG.c.lane == lane)
        .order_by(LOG.c.position.desc())
        .limit(1)
    ).first()
    if last is None:
        return Tail(lane, 0, first_hash(key, lane), key)
    return Tail(lane, last.position, last.hash, key)


def store(connection: Connection, rows: Sequence[tuple[Entry, bytes]]) -> None:
    """Store entries with their hashes."""
    values = [
        tuple(hashed if name == "hash" else getattr(entry, name) for name in _COLUMNS)
        for entry, hashed in rows
    ]
    # On the driver's own cursor: it is no write of a model, and nobody need be told.
    cursor: Any = connection.connection.cursor()
    try:
        with translated():
            if connection.dialect.name == "sqlite":
                _store_sqlite(cursor, values)
            elif len(values) < _FROM_HERE_BY_COPY:
                places = ", ".join(["%s"] * len(_COLUMNS))
                cursor.executemany(
                    f"INSERT INTO {LOG.name} ({_LISTED}) VALUES ({places})", values
                )
            else:
                _copy(cursor, values)
    finally:
        cursor.close()


def _copy(cursor: Any, values: list[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY {LOG.name} ({_LISTED}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


def _store_sqlite(cursor: Any, values: list[tuple[Any, ...]]) -> None:
    process = LOG.c.moment.type.dialect_impl(_SQLITE).bind_processor(_SQLITE)
    place = _COLUMNS.index("moment")
    places = ", ".join("?" * len(_COLUMNS))
    cursor.executemany(
        f"INSERT INTO {LOG.name} ({_LISTED}) VALUES ({places})",
        [(*row[:place], process(row[place]), *row[place + 1 :]) for row in values],
    )
