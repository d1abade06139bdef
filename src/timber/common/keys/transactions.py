"""Transactions of a keystore, whose troubles are told as its own."""

import contextlib
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, select, update

from timber.common.errors import DatabaseError, KeystoreError
from timber.common.keys.tables import STATE

T = TypeVar("T")


@contextlib.contextmanager
def troubles(what: str) -> Generator[None]:
    """Tell of a database that fails as of a keystore that does.

    Raises:
        KeystoreError: the database refused something, or is out of reach.

    """
    try:
        yield
    except DatabaseError as error:
        raise KeystoreError(f"the keystore cannot {what}: {error}") from error


@contextlib.contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """Give a connection to read with."""
    with troubles("be read"), engine.connect() as connection:
        yield connection


@contextlib.contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """Give a transaction, which is committed in the end."""
    with troubles("be written"), engine.begin() as connection:
        yield connection


def state(connection: Connection) -> Any:
    """Return the row that says how the store is."""
    return connection.execute(select(STATE)).one()


def held_state(connection: Connection) -> Any:
    """Return it, and let nobody change it before this transaction is at its end."""
    return connection.execute(select(STATE).with_for_update(read=True)).one()


def changed_state(connection: Connection, **changes: Any) -> Any:
    """Raise the generation, change what is given, and return the row as it is now.

    Whoever changes more than this does so after it: the row is what writers queue at.
    """
    return connection.execute(
        update(STATE).values(generation=STATE.c.generation + 1, **changes).returning(STATE)
    ).one()


def in_parts(items: Sequence[T], size: int) -> Generator[Sequence[T]]:
    """Yield a long list in parts."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


Random = Callable[[int], bytes]
"""Returns so many random bytes."""
