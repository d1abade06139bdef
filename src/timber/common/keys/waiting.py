"""Waiting until nobody writes any more with what he knew before a change of keys."""

from typing import Final

from sqlalchemy import Engine, text

from timber.common.errors import KeystoreError
from timber.common.keys.epochs import raise_epoch
from timber.common.keys.rounds import Sleep

_LOOK_SECONDS: Final = 0.05
_LONGEST_SECONDS: Final = 600


def settle(engine: Engine, *, bound_seconds: float, sleep: Sleep) -> None:
    """Wait until all processes know the change, and all older transactions are at their end.

    Every process asks the keystore for changes within `bound_seconds`, and who writes at once;
    who sealed something before may still have to commit it, or to read it in his snapshot.

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
