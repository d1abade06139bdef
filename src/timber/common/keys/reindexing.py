"""A new root of the blind indexes, and every index made anew with it, while everybody works on.

Three steps, and between them a wait until nobody writes without knowing of the one before:

1. There is a new root, to look with: queries match the values of either.
2. What is new is written with it, and rows get their index anew.
3. While nobody writes, and that is short, a last look finds nothing of the old root. Where it
   finds something, step 2 goes on; else the old root is destroyed.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from timber.common.encryption.identities import SealTarget
from timber.common.encryption.index_versions import hold_values
from timber.common.encryption.keyring import Keyring
from timber.common.encryption.sealing import Sealer
from timber.common.errors import EncryptionError
from timber.common.failpoints import NamedPlace, reach
from timber.common.keys.raw_tables import Change, RawRow, RawTable
from timber.common.keys.renewals import Renewals
from timber.common.keys.rounds import Due, Rounds, Unreadable
from timber.common.keys.store import SqlKeystore

PROGRESS: Final = "indexes"


class IndexFailpoint(NamedPlace):
    """Places of the renewal at which a process can be ended on purpose, beside those of rounds."""

    NOTED = "keys.index.noted"
    """It is noted what is to be done; there is no new root."""
    MADE = "keys.index.made"
    """There is a new root to look with."""
    TAKEN = "keys.index.taken"
    """What is new is written with it."""
    REINDEXED = "keys.index.reindexed"
    """Every row had its index of the new root when it was looked at."""
    SWEPT = "keys.index.swept"
    """Nobody writes, and no row has an index of the old root, which is still there."""
    DROPPED = "keys.index.dropped"
    """The old root is destroyed; it is not noted."""


@dataclass(frozen=True, kw_only=True)
class IndexRenewal:
    """What became of the indexes."""

    version: int
    rows: int = 0
    """How many rows were given their index anew."""
    finished_another: bool = False
    """Whether a renewal that was broken off before was brought to its end."""
    unreadable: Unreadable = field(default_factory=Unreadable)


class Reindexer:
    """Renews the root of the blind indexes."""

    def __init__(
        self,
        *,
        store: SqlKeystore,
        renewals: Renewals,
        keyring: Keyring,
        sealer: Sealer,
        wait: Callable[[], None],
        nobody_writes: Callable[[], AbstractContextManager[Connection]],
    ) -> None:
        self._store = store
        self._renewals = renewals
        self._keyring = keyring
        self._sealer = sealer
        self._wait = wait
        self._nobody_writes = nobody_writes
        self._version = 0
        self._unreadable = Unreadable()

    def renew(self, tables: dict[str, RawTable], rounds: Rounds) -> IndexRenewal:
        """Renew the root, and the index of every row of the tables.

        One that was broken off is brought to its end instead.

        Raises:
            KeystoreError: the keystore cannot be written.
            DatabaseError: the database cannot.

        """
        self._unreadable = Unreadable()
        progress = self._renewals.progress(PROGRESS)
        unfinished = progress is not None
        if progress is None:
            self._keyring.index_keys()  # makes the first one
            progress = self._note_all(self._renewals.next_index_version(), tables)
            reach(IndexFailpoint.NOTED)
        self._version = int(progress["version"])
        self._begin_writing()
        rows = rounds.go(PROGRESS, tables, self._page)
        reach(IndexFailpoint.REINDEXED)
        while not self._is_dropped(tables):
            self._note_all(self._version, tables)
            rows += rounds.go(PROGRESS, tables, self._page)
        self._keyring.refresh()
        reach(IndexFailpoint.DROPPED)
        self._renewals.end(PROGRESS)
        return IndexRenewal(
            version=self._version,
            rows=rows,
            finished_another=unfinished,
            unreadable=self._unreadable,
        )

    def _note_all(self, version: int, tables: Mapping[str, RawTable]) -> dict[str, Any]:
        """Note that all tables are to be gone through, and return that."""
        names = sorted(name for name, one in tables.items() if one.index_of or one.words)
        progress = {"version": version, "tables": names, "after": None}
        self._renewals.note(PROGRESS, progress)
        return progress

    def _is_dropped(self, tables: Mapping[str, RawTable]) -> bool:
        """Destroy the old root, unless something is to be found with it; tell whether it is gone.

        A writer may have taken an old hash that was there when he looked for it, and be the last
        to do so.
        """
        with self._nobody_writes() as connection:
            for table in tables.values():
                for column in table.index_of:
                    known = self._unreadable.keys(table.name, column)
                    found = table.outdated(connection, column, self._version, len(known) + 1)
                    if not known >= found:
                        return False
            reach(IndexFailpoint.SWEPT)
            self._renewals.drop_other_index_keys()
        return True

    def _begin_writing(self) -> None:
        """Write with the new root, when everybody looks with it, too."""
        if self._renewals.index_version() != self._version:
            self._renewals.add_index_key(self._version)
            reach(IndexFailpoint.MADE)
            self._wait()
            self._renewals.write_with_index_key(self._version)
        reach(IndexFailpoint.TAKEN)
        self._wait()
        self._keyring.refresh()

    def _page(self, connection: Connection, table: RawTable, rows: Sequence[RawRow]) -> Due:
        key_ids = {value[2:18] for row in rows for value in row.sealed.values()}
        self._keyring.learn(lambda: self._store.versions_of(key_ids))
        if table.words:
            hashed = ((row, self._words(table, row)) for row in rows)
            return Due([(row, words) for row, words in hashed if words])
        due = [(row, found) for row in rows if (found := self._indexes(table, row))]
        if not due:
            return Due([])
        # Waiting for nobody while it holds many values, it can be in nobody's way for long.
        free = table.locked(connection, [row for row, _ in due])
        changes: list[Change] = []
        for row, hashes in due:
            held = [lowest for lowest, _ in hashes.values()]
            if row.key in free and hold_values(connection, held):
                new = {table.index_of[name]: value for name, (_, value) in hashes.items()}
                changes.append((row, new))
        return Due(changes, held=len(due) - len(changes))

    def _indexes(self, table: RawTable, row: RawRow) -> dict[str, tuple[bytes, bytes]]:
        """Return, by column, by what a value is held, and its new index, where that is due."""
        found: dict[str, tuple[bytes, bytes]] = {}
        for name, stored in row.indexes.items():
            sealed = row.sealed.get(name)
            if sealed is None or (stored is not None and stored[0] == self._version):
                continue
            target = SealTarget(table=table.name, column=name, key=row.key, link=row.link)
            try:
                hashes = self._sealer.blind(
                    table.name, name, self._sealer.open_value(target, sealed)
                )
            except EncryptionError as error:
                self._unreadable.add(target, error)
                continue
            found[name] = (min(hashes), hashes[0])
        return found

    def _words(self, table: RawTable, row: RawRow) -> dict[str, str]:
        """Return the hashes of the words of a row's text, where they are due."""
        words = table.words
        [(name, sealed)] = row.sealed.items()
        target = SealTarget(table=table.name, column=name, key=row.key)
        try:
            text = self._sealer.open_value(target, sealed)
        except EncryptionError as error:
            self._unreadable.add(target, error)
            return {}
        found = words.of(row.key, text) if words else row.words
        return {} if words is None or found == row.words else {words.column: str(found)}
