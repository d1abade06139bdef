"""Waiting until nobody writes, or reads, any more with what he knew before a change of keys."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, Engine, text

from timber.common.errors import ContentionError, KeystoreError
from timber.common.keys.epochs import raise_epoch
from timber.common.keys.rounds import Sleep

_LOOK_SECONDS: Final = 0.05
_LONGEST_SECONDS: Final = 600
_MINE: Final = text("SELECT CAST(pg_current_xact_id() AS text)")
_OLDER: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    " AND age(backend_xmin) >= age(xid(CAST(CAST(:mine AS text) AS xid8)))"
)
"""How many see what was there before a transaction; how they compare is `age`, past wraparound."""


def settle(engine: Engine, *, bound_seconds: float, sleep: Sleep) -> None:
    """Wait until all processes know the change, and all older transactions are at their end.

    Every process asks the keystore for changes within `bound_seconds`, and who writes at once;
    who sealed something before may still have to commit it. Who reads: `await_readers`.

    Raises:
        KeystoreError: a transaction does not come to its end.

    """
    sleep(bound_seconds)
    raise_epoch(engine, sleep=sleep)
    if engine.dialect.name == "sqlite":
        return
    with engine.begin() as connection:
        mine = connection.execute(text("SELECT pg_current_xact_id()::text::bigint")).scalar_one()
    oldest = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    for _ in range(round(_LONGEST_SECONDS / _LOOK_SECONDS)):
        with engine.connect() as connection:
            if connection.execute(oldest).scalar_one() > mine:
                return
        sleep(_LOOK_SECONDS)
    raise KeystoreError(
        f"a transaction has been open for {_LONGEST_SECONDS} s, and may still write with an old "
        "key: end it (pg_stat_activity tells which it is), and run this again; it goes on"
    )


def await_readers(engine: Engine, *, sleep: Sleep) -> None:
    """Wait until nobody sees the database any more as it was before the call.

    Who has begun to read, such as a stream, goes on to read what was there then. On PostgreSQL
    the snapshots of roles whose activity this one may not see are not waited for.

    Raises:
        KeystoreError: somebody does not come to the end of what he reads.

    """
    waits = _sees_log_on_sqlite if engine.dialect.name == "sqlite" else _older_snapshots(engine)
    for _ in range(round(_LONGEST_SECONDS / _LOOK_SECONDS)):
        with engine.connect() as connection:
            if not waits(connection):
                return
        sleep(_LOOK_SECONDS)
    raise KeystoreError(
        f"somebody has been reading for {_LONGEST_SECONDS} s what is sealed with an old key, or "
        "may be: end that (on PostgreSQL pg_stat_activity tells who it is, by backend_xmin), and "
        "run this again; it goes on"
    )


def _sees_log_on_sqlite(connection: Connection) -> bool:
    """Tell whether somebody reads the database as it was before the last commit."""
    run = connection.exec_driver_sql
    if run("PRAGMA journal_mode").scalar_one() != "wal":
        return False  # then nobody writes while somebody reads
    waited = int(run("PRAGMA busy_timeout").scalar_one())
    run("PRAGMA busy_timeout = 0")
    try:
        # It is busy as long as a reader is not at the newest state.
        return bool(run("PRAGMA wal_checkpoint(FULL)").one()[0])
    except ContentionError:
        return True
    finally:
        run(f"PRAGMA busy_timeout = {waited}")


def _older_snapshots(engine: Engine) -> Callable[[Connection], bool]:
    with engine.begin() as connection:
        mine = str(connection.execute(_MINE).scalar_one())
    return lambda connection: bool(connection.execute(_OLDER, {"mine": mine}).scalar_one())
