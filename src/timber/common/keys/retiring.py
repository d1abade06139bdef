"""Destroying the versions of data keys that no row uses any more."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Engine

from timber.common.failpoints import reach
from timber.common.keys.raw_tables import RawTable
from timber.common.keys.renewals import Renewals


class RetireFailpoint(StrEnum):
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
    """How many versions were not destroyed, as rows use them."""
    values_by_table: Mapping[str, int] = field(default_factory=dict)
    """How many values of each table use those."""


def retire(
    *,
    engine: Engine,
    tables: Mapping[str, RawTable],
    renewals: Renewals,
    wait: Callable[[], None],
) -> Retirement:
    """Destroy the versions that have a newer one and that no value in any table uses.

    `wait` returns when nobody can write with them any more.

    Raises:
        KeystoreError: the keystore cannot be written.
        DatabaseError: the database cannot be read.

    """
    old = {key_id + version.to_bytes(2, "big") for key_id, version in renewals.outdated_versions()}
    if not old:
        return Retirement(destroyed=0, kept=0)
    wait()
    used: Counter[bytes] = Counter()
    by_table: Counter[str] = Counter()
    for table in tables.values():
        for key in table.keys_in_use(engine):
            if key in old:
                used[key] += 1
                by_table[table.name] += 1
    reach(RetireFailpoint.SCANNED)
    unused = old - used.keys()
    destroyed = renewals.destroy([(key[:16], int.from_bytes(key[16:], "big")) for key in unused])
    reach(RetireFailpoint.DESTROYED)
    return Retirement(destroyed=destroyed, kept=len(used), values_by_table=dict(by_table))
