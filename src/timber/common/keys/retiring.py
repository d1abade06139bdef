"""Destroying the versions of data keys that nothing in the database uses any more."""

import contextlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, Engine, LargeBinary, column, func, inspect, select, table
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.types import NullType

from timber.common.failpoints import NamedPlace, reach
from timber.common.keys.renewals import Renewals
from timber.common.modeling.sealed_tables import LEAST_BYTES, MAGIC

_HEADER_BYTES: Final = 20
_ROWS_AT_ONCE: Final = 5_000


class RetireFailpoint(NamedPlace):
    """Every place at which a process can be ended on purpose."""

    SCANNED = "keys.retire.scanned"
    """It is known what no row uses; nothing is destroyed."""
    DESTROYED = "keys.retire.destroyed"
    """It is destroyed."""


@dataclass(frozen=True, kw_only=True)
class Retirement:
    """What became of old versions."""

    destroyed: int
    kept: int
    """How many versions were not destroyed, as values are sealed with them."""
    values_by_table: Mapping[str, int] = field(default_factory=dict)
    """How many values of each table are sealed with those."""


def retire(
    *,
    engine: Engine,
    renewals: Renewals,
    wait: Callable[[], None],
    await_readers: Callable[[], None],
) -> Retirement:
    """Destroy the versions that have a newer one and that no value in the database needs.

    Every column of bytes is looked at, also of tables that no model is of.
    `wait` returns when nobody can write with old versions any more, `await_readers` when nobody
    sees the database as it was before.

    Raises:
        KeystoreError: the keystore cannot be written.
        DatabaseError: the database cannot be read.

    """
    old = {key_id + version.to_bytes(2, "big") for key_id, version in renewals.outdated_versions()}
    if not old:
        return Retirement(destroyed=0, kept=0)
    wait()
    used: set[bytes] = set()
    by_table: Counter[str] = Counter()
    for name, key in _keys_in_use(engine):
        if key in old:
            used.add(key)
            by_table[name] += 1
    reach(RetireFailpoint.SCANNED)
    await_readers()
    unused = [(key[:-2], int.from_bytes(key[-2:], "big")) for key in old - used]
    destroyed = renewals.destroy(unused)
    reach(RetireFailpoint.DESTROYED)
    return Retirement(destroyed=destroyed, kept=len(used), values_by_table=dict(by_table))


def _keys_in_use(engine: Engine) -> Iterator[tuple[str, bytes]]:
    """Yield the table, and the id and version of the key, of every sealed value."""
    with _at_one_moment(engine) as connection:
        streaming = connection.execution_options(yield_per=_ROWS_AT_ONCE)
        for schema, name, columns in _columns_of_bytes(inspect(connection)):
            for one in columns:
                value = column(one, LargeBinary)
                header = func.substr(value, 1, _HEADER_BYTES, type_=LargeBinary)
                sealed = select(header).select_from(table(name, value, schema=schema))
                for (found,) in streaming.execute(
                    sealed.where(
                        func.length(value) >= LEAST_BYTES,
                        func.substr(value, 1, len(MAGIC), type_=LargeBinary) == MAGIC,
                    )
                ):
                    yield name, bytes(found)[len(MAGIC) :]


@contextlib.contextmanager
def _at_one_moment(engine: Engine) -> Generator[Connection]:
    """Give a connection that sees all tables as they are now, whatever moves meanwhile."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
            yield connection
        else:
            yield connection.execution_options(isolation_level="REPEATABLE READ")


def _columns_of_bytes(inspector: Inspector) -> Iterator[tuple[str | None, str, list[str]]]:
    for schema in _schemas(inspector):
        for (_, name), columns in inspector.get_multi_columns(schema=schema).items():
            # SQLite forgets the types of what was made by CREATE TABLE … AS.
            found = [
                one["name"] for one in columns if isinstance(one["type"], LargeBinary | NullType)
            ]
            if found:
                yield schema, name, found


def _schemas(inspector: Inspector) -> list[str | None]:
    if inspector.dialect.name == "sqlite":
        return [None]
    return [one for one in inspector.get_schema_names() if one != "information_schema"]
