"""A new master key in the place of the old one: every other key is wrapped anew under it.

It can be killed at any point, and goes on from there: both master keys are kept until nothing
is wrapped under the old one any more. When that is destroyed, older copies of the keystore, and
what its deleted keys may have left on disks, are worth nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, update

from timber.common.errors import MasterKeyError
from timber.common.failpoints import NamedPlace, reach
from timber.common.keys.base import MasterKeys
from timber.common.keys.envelopes import Place
from timber.common.keys.store import SqlKeystore
from timber.common.keys.tables import KEYS, MASTERS, STATE
from timber.common.keys.transactions import changed_state, reading, state, writing

_AT_ONCE: Final = 500
_REWRAP: Final = (
    update(KEYS)
    .where(
        KEYS.c.kind == bindparam("its_kind"),
        KEYS.c.name == bindparam("its_name"),
        KEYS.c.version == bindparam("its_version"),
    )
    .values(wrapped=bindparam("new_wrapped"), master_version=bindparam("new_master"))
)

Advance = Callable[[int, int], None]
"""Is told how much is done, and of how much."""


class MasterFailpoint(NamedPlace):
    """Every place of the rotation at which a process can be ended on purpose."""

    MADE = "keys.master.made"
    """There is a new master key; the keystore does not know of it."""
    TAKEN = "keys.master.taken"
    """What is new is wrapped under it; all else is under the old one."""
    PART_REWRAPPED = "keys.master.part_rewrapped"
    """A part of what was under the old one is under the new one."""
    REWRAPPED = "keys.master.rewrapped"
    """Nothing is under the old one any more, and it is still there."""
    DESTROYED = "keys.master.destroyed"
    """The old one is gone."""


@dataclass(frozen=True, kw_only=True)
class MasterRotation:
    """What became of the master key."""

    version: int
    rewrapped: int
    """How many keys were wrapped under it."""
    to_take_away: tuple[int, ...]
    """Old versions that nothing needs, which an operator has to destroy where he keeps them."""
    finished_another: bool
    """Whether a rotation that was broken off before was brought to its end."""


class MasterRotator:
    """Renews the master key of a keystore."""

    def __init__(self, *, store: SqlKeystore, masters: MasterKeys) -> None:
        self._store = store
        self._masters = masters

    @property
    def is_unfinished(self) -> bool:
        """Whether a rotation was broken off."""
        with reading(self._store.engine) as connection:
            current = int(state(connection).master_version)
        kept = self._masters.read()
        if max(kept, default=0) > current:
            return self._masters.is_kept_here
        return self._left(current) > 0 or (
            self._masters.is_kept_here and min(kept, default=current) < current
        )

    def rotate(self, advance: Advance = lambda _done, _of: None) -> MasterRotation:
        """Wrap all keys under a new master key, and destroy the old one.

        One that was broken off is brought to its end instead; then the keys are as new.

        Raises:
            MasterKeyError: an operator gives the master keys, and has given no new one.
            KeystoreError: the keystore cannot be written.

        """
        unfinished = self.is_unfinished
        version = self._take()
        rewrapped = self._rewrap(version, advance)
        reach(MasterFailpoint.REWRAPPED)
        self._forget(version)
        old = tuple(sorted(one for one in self._masters.read() if one < version))
        if self._masters.is_kept_here:
            for one in old:
                self._masters.destroy(one)
        reach(MasterFailpoint.DESTROYED)
        return MasterRotation(
            version=version,
            rewrapped=rewrapped,
            to_take_away=() if self._masters.is_kept_here else old,
            finished_another=unfinished,
        )

    def _take(self) -> int:
        """Return the version to wrap under: one that waits to be finished, or a new one."""
        with reading(self._store.engine) as connection:
            current = int(state(connection).master_version)
        kept = self._masters.read()
        if current not in kept:
            raise MasterKeyError(
                f"{self._masters.where} has not the master key in use, version {current}: "
                "both it and the new one are needed until the rotation is done"
            )
        if max(kept) == current:
            if self.is_unfinished:
                return current
            self._masters.create(current + 1)
            reach(MasterFailpoint.MADE)
        version = max(self._masters.read())
        with writing(self._store.engine) as connection:
            changed_state(connection, master_version=version)  # waits for those that wrap now
            connection.execute(
                insert(MASTERS),
                {
                    "version": version,
                    "proof": self._store.envelopes.proof(version),
                    "made_at": self._store.now(),
                },
            )
        reach(MasterFailpoint.TAKEN)
        return version

    def _rewrap(self, version: int, advance: Advance) -> int:
        left, done = self._left(version), 0
        older = select(KEYS).where(KEYS.c.master_version < version).limit(_AT_ONCE)
        while True:
            with writing(self._store.engine) as connection:
                # So that none of them is erased meanwhile, and written again.
                rows = connection.execute(older.with_for_update()).all()
                if rows:
                    connection.execute(_REWRAP, [self._rewrapped(row, version) for row in rows])
            if not rows:
                return done
            done += len(rows)
            advance(done, max(left, done))
            reach(MasterFailpoint.PART_REWRAPPED)

    def _rewrapped(self, row: Any, version: int) -> dict[str, Any]:
        envelopes, place = self._store.envelopes, Place(row.kind, row.name, row.version)
        secret = envelopes.unwrap(row.wrapped, place, master=row.master_version)
        return {
            "its_kind": row.kind,
            "its_name": row.name,
            "its_version": row.version,
            "new_wrapped": envelopes.wrap(secret, place, master=version),
            "new_master": version,
        }

    def _left(self, version: int) -> int:
        query = select(func.count()).select_from(KEYS).where(KEYS.c.master_version < version)
        with reading(self._store.engine) as connection:
            return int(connection.execute(query).scalar_one())

    def _forget(self, version: int) -> None:
        with writing(self._store.engine) as connection:
            connection.execute(delete(MASTERS).where(MASTERS.c.version < version))
            if connection.dialect.name == "sqlite":
                return
        # What the old versions of the rows hold goes when they are vacuumed.
        with self._store.engine.connect() as connection:
            autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in (KEYS, MASTERS, STATE):
                autocommit.exec_driver_sql(f"VACUUM {table.name}")
