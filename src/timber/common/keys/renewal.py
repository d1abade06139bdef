"""All that can be renewed about the keys of one Timber, as its command does it."""

import time
from collections.abc import Collection
from functools import partial

from sqlalchemy import MetaData

from timber.common.database.service import DatabaseService
from timber.common.encryption.sealing import Sealer
from timber.common.errors import InvalidRequestError
from timber.common.keys.epochs import nobody_writes
from timber.common.keys.master_rotation import Advance, MasterRotation, MasterRotator
from timber.common.keys.raw_tables import raw_tables
from timber.common.keys.reindexing import IndexRenewal, Reindexer
from timber.common.keys.renewals import Renewals
from timber.common.keys.resealing import DataRenewal, Resealer
from timber.common.keys.retiring import Retirement, retire
from timber.common.keys.rounds import ROWS_AT_ONCE, Pace, Rounds, Show, Sleep, Unheard
from timber.common.keys.service import KeyService
from timber.common.keys.status import KeyStatus, status_of
from timber.common.keys.waiting import await_readers, settle


def _show_nothing(_table: str, _done: int, _of: int) -> None:
    pass


class KeyRenewal:
    """Renews keys, and tells how they are. One process does so at a time.

    Whatever is killed half-way is ended by calling it again.
    Each raises a KeystoreError where the keystore cannot be written, or another process renews.
    """

    def __init__(  # noqa: PLR0913 - its parts, all by keyword
        self,
        *,
        keys: KeyService,
        database: DatabaseService,
        metadata: MetaData,
        sealer: Sealer,
        unheard: Unheard,
        sleep: Sleep = time.sleep,
        rows_at_once: int = ROWS_AT_ONCE,
    ) -> None:
        self._keys = keys
        self._database = database
        self._metadata = metadata
        self._sealer = sealer
        self._unheard = unheard
        self._sleep = sleep
        self._rows_at_once = rows_at_once

    def status(self) -> KeyStatus:
        """Return how the keys are."""
        keys = self._keys.need()
        return status_of(keys, Renewals(store=keys.store))

    def rotate_master(self, advance: Advance = lambda _done, _of: None) -> MasterRotation:
        """Put a new master key in the place of the old one, which is destroyed."""
        keys = self._keys.need()
        with keys.exclusive():
            return MasterRotator(store=keys.store, masters=keys.masters).rotate(advance)

    def renew_data(
        self,
        tables: Collection[str] = (),
        *,
        rows_per_second: float | None = None,
        show: Show = _show_nothing,
    ) -> DataRenewal:
        """Renew data keys, and seal the rows of these tables, or of all, anew.

        The texts that are found by their meaning are renewed in any case.

        Raises:
            InvalidRequestError: one of the tables has no sealed columns.

        """
        keys, known = self._keys.need(), raw_tables(self._metadata)
        for name in tables:
            if name not in known:
                raise InvalidRequestError(f"nothing in {name!r} is encrypted: leave it out")
        renewals = Renewals(store=keys.store)
        resealer = Resealer(
            store=keys.store,
            renewals=renewals,
            keyring=self._keys.keyring,
            sealer=self._sealer,
        )
        with keys.exclusive():
            rounds = self._rounds(renewals, rows_per_second, show)
            apart = {name for name, one in known.items() if one.words}
            return resealer.renew(known, {*tables, *apart} if tables else known, rounds)

    def renew_indexes(
        self, *, rows_per_second: float | None = None, show: Show = _show_nothing
    ) -> IndexRenewal:
        """Renew the root of the blind indexes, and the index of every row."""
        keys = self._keys.need()
        renewals = Renewals(store=keys.store)
        reindexer = Reindexer(
            store=keys.store,
            renewals=renewals,
            keyring=self._keys.keyring,
            sealer=self._sealer,
            wait=self._wait,
            nobody_writes=partial(nobody_writes, self._database.engine, sleep=self._sleep),
        )
        with keys.exclusive():
            rounds = self._rounds(renewals, rows_per_second, show)
            return reindexer.renew(raw_tables(self._metadata), rounds)

    def retire(self) -> Retirement:
        """Destroy the old versions of data keys that nothing in the database needs."""
        keys = self._keys.need()
        with keys.exclusive():
            return retire(
                engine=self._database.engine,
                renewals=Renewals(store=keys.store),
                wait=self._wait,
                await_readers=partial(await_readers, self._database.engine, sleep=self._sleep),
            )

    @property
    def _wait(self) -> partial[None]:
        return partial(
            settle,
            self._database.engine,
            bound_seconds=self._keys.bound_seconds,
            sleep=self._sleep,
        )

    def _rounds(self, renewals: Renewals, rows_per_second: float | None, show: Show) -> Rounds:
        pace = Pace(
            rows_at_once=self._rows_at_once,
            rows_per_second=rows_per_second,
            sleep=self._sleep,
            show=show,
        )
        return Rounds(database=self._database, renewals=renewals, pace=pace, unheard=self._unheard)
