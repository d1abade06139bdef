"""New data keys, and all that is stored sealed anew with them, while everybody works on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from timber.common.encryption.identities import SealTarget
from timber.common.encryption.keyring import Keyring
from timber.common.encryption.sealing import Sealer
from timber.common.errors import EncryptionError
from timber.common.failpoints import NamedPlace, reach
from timber.common.keys.raw_tables import RawRow, RawTable
from timber.common.keys.renewals import Renewals
from timber.common.keys.rounds import Due, Rounds, Unreadable
from timber.common.keys.store import SqlKeystore

PROGRESS: Final = "data"


class DataFailpoint(NamedPlace):
    """Places of the renewal at which a process can be ended on purpose, beside those of rounds."""

    EPOCH_BEGUN = "keys.data.epoch_begun"
    """Every key is one to be renewed; nothing is noted."""
    NOTED = "keys.data.noted"
    """It is noted which tables are to be gone through."""
    KEYS_RENEWED = "keys.data.keys_renewed"
    """The keys of a page are renewed; its rows are not."""


@dataclass(frozen=True, kw_only=True)
class DataRenewal:
    """What became of keys and rows."""

    keys: int = 0
    """How many keys have a new version."""
    rows: int = 0
    """How many rows were sealed anew."""
    finished_another: bool = False
    """Whether a renewal that was broken off before was brought to its end."""
    unreadable: Unreadable = field(default_factory=Unreadable)


class Resealer:
    """Renews data keys."""

    def __init__(
        self,
        *,
        store: SqlKeystore,
        renewals: Renewals,
        keyring: Keyring,
        sealer: Sealer,
    ) -> None:
        self._store = store
        self._renewals = renewals
        self._keyring = keyring
        self._sealer = sealer
        self._keys = 0
        self._unreadable = Unreadable()

    def renew(
        self, tables: dict[str, RawTable], chosen: Collection[str], rounds: Rounds
    ) -> DataRenewal:
        """Renew the keys of the rows of the `chosen` tables, and seal these rows anew.

        The former versions stay, for rows of other tables and for backups, until they are
        retired. One that was broken off is brought to its end instead.

        Raises:
            KeystoreError: the keystore cannot be written.
            DatabaseError: the database cannot.

        """
        self._keys, self._unreadable = 0, Unreadable()
        unfinished = self._renewals.progress(PROGRESS) is not None
        if not unfinished:
            self._renewals.begin_epoch()
            reach(DataFailpoint.EPOCH_BEGUN)
            self._renewals.note(PROGRESS, {"tables": sorted(chosen), "after": None})
            reach(DataFailpoint.NOTED)
        self._keyring.refresh()
        rows = rounds.go(PROGRESS, tables, self._page)
        self._renewals.end(PROGRESS)
        return DataRenewal(
            keys=self._keys,
            rows=rows,
            finished_another=unfinished,
            unreadable=self._unreadable,
        )

    def _page(self, _connection: Connection, table: RawTable, rows: Sequence[RawRow]) -> Due:
        key_ids = {value[2:18] for row in rows for value in row.sealed.values()}
        renewed = self._store.renew_outdated(key_ids)
        if renewed:
            self._keys += renewed
            self._keyring.refresh()
            reach(DataFailpoint.KEYS_RENEWED)
        self._keyring.learn(lambda: self._store.versions_of(key_ids))
        changes = [(row, self._sealed_anew(table, row)) for row in rows]
        return Due([(row, new) for row, new in changes if new])

    def _sealed_anew(self, table: RawTable, row: RawRow) -> dict[str, bytes | None]:
        """Return the values of a row that are not sealed with the newest key, sealed with it."""
        new: dict[str, bytes | None] = {}
        for name, value in row.sealed.items():
            target = SealTarget(table=table.name, column=name, key=row.key, link=row.link)
            try:
                anew = self._sealer.sealed_anew(target, value)
            except EncryptionError as error:
                self._unreadable.add(target, error)
                continue
            if anew is not None:
                new[name] = anew
        return new
