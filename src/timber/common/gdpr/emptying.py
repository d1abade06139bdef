"""Takes what tells of a person out of rows that stay.

What is retained, or somebody else's, can need a row that should go. Then nothing is left of it
but its key and what must not be null.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, update

from timber.common.clock import Clock
from timber.common.failpoints import reach
from timber.common.gdpr.beside import NOTHING_BESIDE
from timber.common.gdpr.failpoints import Failpoint
from timber.common.gdpr.neutral import (
    bare_table as bare,
    needs_each,
    neutral_values,
    nothing_sealed,
    sealed_names,
)
from timber.common.gdpr.renaming import Renamer
from timber.common.gdpr.row_list import Fate, Listed, RowList
from timber.common.gdpr.saga import Erasing, Saga
from timber.common.gdpr.schema import Schema
from timber.common.gdpr.subjects import among, keys_of
from timber.common.ids import IdFactory
from timber.common.modeling.mixins import MIXIN_COLUMNS
from timber.common.modeling.sealed_tables import sealed_of

Key = tuple[Any, ...]

_DELETED_AT = next(iter(MIXIN_COLUMNS["SoftDeleteMixin"]))
_VERSION = next(iter(MIXIN_COLUMNS["OptimisticLockMixin"]))


@dataclass(frozen=True, kw_only=True)
class Emptier:
    """Empties rows, as a part of the transaction that notes it."""

    schema: Schema
    saga: Saga
    clock: Clock
    new_id: IdFactory

    def anonymise(self, now: Erasing, rows: RowList, table: Table, some: Sequence[Listed]) -> None:
        """Take from rows what is personal."""
        owner = self.schema.owner(table)
        assert owner is not None  # noqa: S101 - it says that they are anonymised
        keys = [one.key for one in some]
        beside = self.schema.beside.get(table.key, NOTHING_BESIDE)
        now.counts.texts += beside.anonymise(rows.connection, keys)
        names = [name for name in owner.personal if not table.c[name].foreign_keys]
        # The way to the person that no foreign key keeps, and no deletion of the person ends.
        first = (way.steps[0] for way in owner.ways_to(now.whom.table) if way.steps)
        names += [one.columns[0] for one in first if not one.is_key]
        targets = self._targets(table).intersection(names)
        plain = dict.fromkeys(name for name in names if name not in targets)
        self._neutralise(rows.connection, table, keys, plain)
        self._empty_targets(rows.connection, now, table, keys, targets)
        rows.set(some, Fate.STAYS)
        now.counts.add(table.key, "anonymised", len(some))
        self.saga.save(rows.connection, now)
        reach(Failpoint.BATCH_READY)

    def empty(self, now: Erasing, rows: RowList, table: Table, some: Sequence[Listed]) -> None:
        """Leave of rows nothing but what must be there."""
        keys = [one.key for one in some]
        beside = self.schema.beside.get(table.key, NOTHING_BESIDE)
        now.counts.texts += beside.remove(rows.connection, keys)
        names = dict.fromkeys(
            name
            for name, column in table.c.items()
            if name not in self._indispensable(table)
            and not (column.foreign_keys and not column.nullable)
        )
        targets = self._targets(table).intersection(names)
        plain = dict.fromkeys(name for name in names if name not in targets)
        self._neutralise(rows.connection, table, keys, plain, is_deleted=True)
        self._empty_targets(rows.connection, now, table, keys, targets)
        beside.forget(rows.connection, keys)
        rows.set(some, Fate.STAYS)
        now.counts.add(table.key, "emptied", len(some))
        self.saga.save(rows.connection, now)
        reach(Failpoint.BATCH_READY)

    def _indispensable(self, table: Table) -> set[str]:
        """Return the columns by which a row is known, and those that are Timber's own."""
        sealed = sealed_of(table)
        known = {column.key for column in table.primary_key}
        known.update(() if sealed is None else sealed.key)
        return known | {_DELETED_AT, _VERSION} | self.schema.kept.get(table.key, frozenset())

    def _empty_targets(
        self,
        connection: Connection,
        now: Erasing,
        table: Table,
        keys: Sequence[Key],
        names: Collection[str],
    ) -> None:
        """Empty columns to which foreign keys point, or give other values to both sides."""
        renamer = Renamer(schema=self.schema, new_id=self.new_id)
        for name in sorted(names):
            pointed = renamer.pointed(connection, table, keys, name)
            free = [key for key in keys if key not in set(pointed)]
            self._neutralise(connection, table, free, {name: None})
            for key in pointed if renamer.tells(table, name) else ():
                if not renamer.rename(connection, now, table, key, name):
                    now.counts.keep(table.key, name)

    def _targets(self, table: Table) -> frozenset[str]:
        return Renamer(schema=self.schema, new_id=self.new_id).targets(table)

    def _neutralise(
        self,
        connection: Connection,
        table: Table,
        keys: Sequence[Key],
        names: Mapping[str, Any],
        *,
        is_deleted: bool = False,
    ) -> None:
        marked = {_DELETED_AT: self.clock.now()} if is_deleted and _DELETED_AT in table.c else {}
        own, hidden = keys_of(table), sealed_names(table)
        plain = [name for name in names if name not in hidden]
        alone = needs_each(table, plain)
        for some in ([key] for key in keys) if alone else [keys]:
            values = {**neutral_values(table, plain, self.new_id), **marked}
            if values and some:
                connection.execute(update(table).where(among(own, some)).values(values))
        if hidden.intersection(names) and keys:
            self._forget_sealed(connection, table, keys, hidden)

    @staticmethod
    def _forget_sealed(
        connection: Connection, table: Table, keys: Sequence[Key], hidden: Collection[str]
    ) -> None:
        """Empty sealed columns past what seals: there is no key to seal with any more."""
        there = bare(table, hidden)
        own = [there.c[one.name] for one in keys_of(table)]
        values = nothing_sealed(table, sorted(hidden))
        connection.execute(update(there).where(among(own, keys)).values(values))
