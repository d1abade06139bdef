"""The epoch of the data: raised so that nobody writes any more with what he knew of keys before.

How writers look at it is told in `timber.common.encryption.leases`.
"""

import contextlib
from collections.abc import Callable, Generator
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from timber.common.database.schema import alone
from timber.common.database.sqlite_transactions import begin
from timber.common.encryption.leases import EPOCH, LOCKS
from timber.common.errors import DatabaseError, KeystoreError
from timber.common.failpoints import NamedPlace, reach

_LOOK_SECONDS: Final = 0.05
_LONGEST_SECONDS: Final = 600
_STALL: Final = "SET LOCAL lock_timeout = '250ms'"
"""For so long writers wait at most for one who waits for them, at a time."""
_IS_THERE: Final = text(f"SELECT count(*) FROM pg_class WHERE oid = to_regclass('{EPOCH}')")  # noqa: S608 - a name of ours
_READ: Final = text(f"SELECT last_value FROM {EPOCH}")  # noqa: S608 - as above
_RAISE: Final = text(f"SELECT nextval('{EPOCH}'), pg_current_xact_id()")
_LEASED: Final = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"  # noqa: S608 - numbers
    f" AND classid = {LOCKS} AND objid <> :epoch AND pid <> pg_backend_pid()"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_HOLD: Final = text("SELECT pg_advisory_xact_lock(:locks, :epoch)")

Sleep = Callable[[float], None]


class EpochFailpoint(NamedPlace):
    """The place at which a process can be ended on purpose."""

    RAISED = "keys.epoch.raised"
    """The epoch is raised, and those who write are waited for."""


def prepare(engine: Engine, *, may_create: bool) -> None:
    """Make sure that the database has an epoch.

    Raises:
        KeystoreError: it has none, and none may be made.

    """
    with engine.connect() as connection:
        if _is_there(connection):
            return
    if not may_create:
        raise KeystoreError(
            f"the database has no {EPOCH}, by which writers know of changes of keys: "
            "`timber keys init` makes it"
        )
    with engine.begin() as connection:
        alone(connection)
        if _is_there(connection):
            return  # by another process, while this one waited
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"CREATE SEQUENCE {EPOCH} MAXVALUE 2000000000 CYCLE"))
            connection.execute(_RAISE)
        else:
            connection.execute(text(f"CREATE TABLE {EPOCH} (epoch INTEGER NOT NULL)"))
            connection.execute(text(f"INSERT INTO {EPOCH} (epoch) VALUES (1)"))  # noqa: S608 - a name


def forget(engine: Engine) -> None:
    """Take the epoch away from a database whose data is gone."""
    kind = "SEQUENCE" if engine.dialect.name == "postgresql" else "TABLE"
    with engine.begin() as connection:
        connection.execute(text(f"DROP {kind} IF EXISTS {EPOCH}"))


def raise_epoch(engine: Engine, *, sleep: Sleep) -> None:
    """Return when nobody writes any more with what he knew of keys before the call.

    Nobody waits for it. Who begins to write meanwhile asks the keystore anew.

    Raises:
        KeystoreError: a transaction does not come to its end.

    """
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            begin(connection)  # there is one writer at a time: now it is this one
            _raise_on_sqlite(connection)
        reach(EpochFailpoint.RAISED)
        return
    with engine.begin() as connection:
        connection.execute(_RAISE)
    reach(EpochFailpoint.RAISED)
    _wait_for_former(engine, sleep)


@contextlib.contextmanager
def nobody_writes(engine: Engine, *, sleep: Sleep) -> Generator[Connection]:
    """Give a transaction while which nobody has written, or writes, anything that is sealed.

    Writers wait until it ends, and then ask the keystore anew. On PostgreSQL they wait for its
    beginning for a quarter of a second at most, at a time; where some come between, it tries
    again.

    Raises:
        KeystoreError: there is no moment without a transaction.

    """
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            begin(connection)
            _raise_on_sqlite(connection)
            yield connection
        return
    for _ in range(round(_LONGEST_SECONDS / _LOOK_SECONDS)):
        with engine.connect() as connection:
            if _hold_all(connection):
                yield connection
                connection.execute(_RAISE)
                connection.commit()
                return
        sleep(_LOOK_SECONDS)
    raise KeystoreError(_STUCK)


_STUCK: Final = (
    f"transactions have been open for {_LONGEST_SECONDS} s, and may still write with an old key: "
    "end them (pg_stat_activity tells which they are), and run this again; it goes on"
)


def _is_there(connection: Connection) -> bool:
    if connection.dialect.name == "postgresql":
        return bool(connection.execute(_IS_THERE).scalar_one())
    return inspect(connection).has_table(EPOCH)


def _raise_on_sqlite(connection: Connection) -> None:
    connection.execute(text(f"UPDATE {EPOCH} SET epoch = epoch + 1"))  # noqa: S608 - a name of ours


def _wait_for_former(engine: Engine, sleep: Sleep) -> None:
    for _ in range(round(_LONGEST_SECONDS / _LOOK_SECONDS)):
        with engine.connect() as connection:
            epoch = connection.execute(_READ).scalar_one()
            if not connection.execute(_LEASED, {"epoch": epoch}).scalar_one():
                return
        sleep(_LOOK_SECONDS)
    raise KeystoreError(_STUCK)


def _hold_all(connection: Connection) -> bool:
    """Try to have the present epoch alone, until the transaction ends."""
    connection.execute(text(_STALL))
    epoch = connection.execute(_READ).scalar_one()
    try:
        connection.execute(_HOLD, {"locks": LOCKS, "epoch": epoch})
    except DatabaseError:
        return False
    return not connection.execute(_LEASED, {"epoch": epoch}).scalar_one()
