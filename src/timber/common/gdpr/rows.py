"""Takes the rows of a person out of the tables, a batch and a transaction at a time.

Children go before their parents. What points to a row that goes, and may be null, is set to null
first. A row to which something points that stays - what is retained, or what is somebody else's -
is not deleted but emptied: nothing is left of it but its key and what must not be null.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, delete, literal, or_, select, tuple_, update

from timber.common.clock import Clock
from timber.common.errors import ErasureError
from timber.common.failpoints import reach
from timber.common.gdpr.beside import Surroundings
from timber.common.gdpr.failpoints import Failpoint
from timber.common.gdpr.holds import Holds
from timber.common.gdpr.links import Link
from timber.common.gdpr.neutral import (
    bare_table as bare,
    needs_each,
    neutral_values,
    nothing_sealed,
    sealed_names,
)
from timber.common.gdpr.row_list import BATCH, Fate, Listed, RowList, written
from timber.common.gdpr.saga import Erasing, Saga, Step
from timber.common.gdpr.subjects import Belonging, among, equal, keys_of
from timber.common.ids import IdFactory
from timber.common.modeling.mixins import MIXIN_COLUMNS
from timber.common.modeling.ownership import Ownership

Result = TypeVar("Result")
Key = tuple[Any, ...]

_DELETED_AT = next(iter(MIXIN_COLUMNS["SoftDeleteMixin"]))
_VERSION = next(iter(MIXIN_COLUMNS["OptimisticLockMixin"]))
_NOBODY: Surroundings = Surroundings()
MOST_SWEEPS = 100
"""How often rows are looked for again that were written during the erasure, before it gives up."""


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What an erasure knows of the tables of a database."""

    belonging: Belonging
    tables: Sequence[Table]
    """Those that can hold rows of a person, children first."""
    links: Mapping[str, Sequence[Link]]
    beside: Mapping[str, Surroundings]
    kept: Mapping[str, frozenset[str]]
    """By table the columns that emptying leaves alone, such as that of a state machine."""
    holds: Holds

    def owner(self, table: Table) -> Ownership | None:
        return self.belonging.owned.get(table.key)


@dataclass(frozen=True, kw_only=True)
class RowEraser:
    """The steps of an erasure that are about rows; each can be broken off and called again."""

    transact: Callable[[Callable[[Connection], Any]], Any]
    """Runs work in a transaction of its own."""
    schema: Schema
    saga: Saga
    clock: Clock
    new_id: IdFactory
    on_rows: Callable[[Erasing], None]
    """Told after each batch."""

    # ------------------------------------------------------------------ the list

    def list_rows(self, erasing: Erasing, following: Step) -> None:
        """Put every row of the person on the list."""
        for table in self.schema.tables:
            self._in_step(erasing, erasing.step, partial(self._list, table=table))
            reach(Failpoint.LISTED)
        self._advance(erasing, following)

    def sweep(self, erasing: Erasing, following: Step) -> None:
        """Look for rows that were written meanwhile; with some, go back to delete them.

        Raises:
            ErasureError: there were some each of very many times.

        """

        def work(now: Erasing, rows: RowList) -> bool:
            if not self.finds_more(now, rows):
                self.saga.save(rows.connection, now, step=following)
            return now.counts.sweeps >= MOST_SWEEPS

        if self._in_step(erasing, erasing.step, work) is True:
            self._in_step(erasing, Step.ROWS, self._forget_sweeps)
            raise ErasureError(
                f"rows about the person were written faster than they could go, {MOST_SWEEPS} "
                "times over: have nobody write about the person any more, and erase again"
            )
        reach(Failpoint.SWEPT)

    def finds_more(self, now: Erasing, rows: RowList) -> bool:
        """List what was written meanwhile; return whether there is some, and go back to it."""
        for table in self.schema.tables:
            self._list(now, rows, table)
        if not rows.has(Fate.FOUND):
            return False
        now.counts.sweeps += 1
        now.counts.gone_before = -1
        self.saga.save(rows.connection, now, step=Step.ROWS)
        return True

    def _forget_sweeps(self, now: Erasing, rows: RowList) -> None:
        now.counts.sweeps = 0
        self.saga.save(rows.connection, now)

    def _list(self, now: Erasing, rows: RowList, table: Table) -> None:
        owner = self.schema.owner(table)
        assert owner is not None  # noqa: S101 - the tables are those that have one
        if owner.ways_to(now.whom.table):
            held = self.schema.holds.read(rows.connection, keeping=True).condition(table, table)
            rows.fill(table, self.schema.belonging, owner.on_erase, held)

    # ------------------------------------------------------------------ deletion

    def delete_rows(self, erasing: Erasing, following: Step) -> None:
        """Delete what can go, and anonymise what is to be; round by round, until nothing moves."""
        while True:
            for table in self.schema.tables:
                while self._batch(erasing, table):
                    pass
            if self._end_round(erasing, following):
                return

    def _end_round(self, erasing: Erasing, following: Step) -> bool:
        """Begin another round; return True if there is none, for the last one moved nothing."""

        def work(now: Erasing, rows: RowList) -> bool:
            if rows.has(Fate.FOUND):
                return False
            gone = now.counts.total("deleted")
            waiting, moved = rows.has(Fate.WAITING), gone != now.counts.gone_before
            now.counts.gone_before = gone
            if waiting and moved:
                rows.try_again()
                self.saga.save(rows.connection, now)
                return False
            self.saga.save(rows.connection, now, step=following)
            return True

        return self._in_step(erasing, Step.ROWS, work) is not False

    def _batch(self, erasing: Erasing, table: Table) -> bool:
        """Do with some rows what their model says; return whether there were any."""
        some = self._look(erasing, table, Fate.FOUND)
        if not some:
            return False
        owner = self.schema.owner(table)
        if owner is not None and owner.on_erase == "anonymise":
            self._in_step(erasing, Step.ROWS, partial(self._anonymise, table=table))
        else:
            self._unlink(erasing, table, [one.key for one in some])
            self._in_step(erasing, Step.ROWS, partial(self._delete, table=table))
        reach(Failpoint.BATCH_GONE)
        return True

    def _look(self, erasing: Erasing, table: Table, fate: Fate) -> list[Listed]:
        def work(connection: Connection) -> list[Listed]:
            return RowList(connection, erasing).some(table, fate)

        found: list[Listed] = self.transact(work)
        return found

    def _delete(self, now: Erasing, rows: RowList, table: Table) -> None:
        connection, keys = rows.connection, keys_of(table)
        some = self._not_held(rows, table, Fate.FOUND)
        if not some:
            return
        wanted = [one.key for one in some]
        # Under a lock, so that nothing new can point to them.
        connection.execute(select(*keys).where(among(keys, wanted)).with_for_update())
        blocked = self._blocked(connection, table, wanted)
        going = [one for one in some if written(one.key) not in blocked]
        gone = [one.key for one in going]
        if gone:
            beside = self.schema.beside.get(table.key, _NOBODY)
            now.counts.texts += beside.remove(connection, gone)
            result = connection.execute(delete(table).where(among(keys, gone)))
            beside.forget(connection, gone)
            now.counts.add(table.key, "deleted", result.rowcount)
        rows.strike(going)
        rows.set([one for one in some if written(one.key) in blocked], Fate.WAITING)
        self.saga.save(connection, now)
        reach(Failpoint.BATCH_READY)

    def _blocked(self, connection: Connection, table: Table, keys: Sequence[Key]) -> set[str]:
        """Return, as they are written, the keys of rows to which something points."""
        own = keys_of(table)
        pointing = []
        for link in self.schema.links.get(table.key, ()):
            there = link.table.alias()
            points = equal(
                [there.c[name] for name in link.columns], [table.c[name] for name in link.targets]
            )
            found = select(literal(1)).select_from(there).where(points)
            if link.table is table:
                found = found.where(~equal([there.c[one.key] for one in own], own))
            pointing.append(found.correlate(table).exists())
        if not pointing:
            return set()
        statement = select(*own).where(among(own, keys), or_(*pointing))
        return {written(row) for row in connection.execute(statement)}

    # ------------------------------------------------------------------ links

    def _unlink(self, erasing: Erasing, table: Table, keys: Sequence[Key]) -> None:
        """Let nothing that stays point to rows that go, as far as that may be null."""
        for link in self.schema.links.get(table.key, ()):
            if link.loose:
                last: Key | None = None
                while last is not _DONE:
                    last = self._in_step(
                        erasing,
                        Step.ROWS,
                        partial(self._unlink_some, link=link, table=table, keys=keys, last=last),
                    )

    def _unlink_some(
        self,
        now: Erasing,
        rows: RowList,
        link: Link,
        table: Table,
        keys: Sequence[Key],
        last: Key | None,
    ) -> Key:
        connection, own = rows.connection, keys_of(link.table)
        pointing = [link.table.c[name] for name in link.columns]
        held = self.schema.holds.read(connection, keeping=True)
        statement = (
            select(*own)
            .where(among(pointing, self._targets(connection, link, table, keys)))
            .where(~held.condition(link.table, link.table))
            .order_by(*own)
            .limit(BATCH)
        )
        if last is not None:
            place = tuple_(*own) > tuple(last) if len(own) > 1 else own[0] > last[0]
            statement = statement.where(place)
        found = [tuple(row) for row in connection.execute(statement)]
        if not found:
            return _DONE
        retained = (
            rows.among(link.table, found, Fate.STAYS) if self._retains(link.table) else set()
        )
        loose = [key for key in found if written(key) not in retained]
        if loose:
            going = rows.among(link.table, loose, Fate.FOUND, Fate.WAITING)
            there = bare(link.table, link.loose) if sealed_names(link.table) else link.table
            keys_there = [there.c[one.name] for one in own]
            connection.execute(
                update(there).where(among(keys_there, loose)).values(dict.fromkeys(link.loose))
            )
            others = sum(written(key) not in going for key in loose)
            now.counts.add(link.table.key, "unlinked", others)
            self.saga.save(connection, now)
        return found[-1] if len(found) == BATCH else _DONE

    def _targets(
        self, connection: Connection, link: Link, table: Table, keys: Sequence[Key]
    ) -> Sequence[Key]:
        """Return what points to rows with these keys, if it does."""
        own = keys_of(table)
        if link.targets == tuple(column.key for column in own):
            return keys
        named = [table.c[name] for name in link.targets]
        rows = connection.execute(select(*named).where(among(own, keys)))
        return [tuple(row) for row in rows]

    def _not_held(self, rows: RowList, table: Table, fate: Fate) -> list[Listed]:
        """Return some rows that have that fate, but for those that came to be held meanwhile."""
        connection, own = rows.connection, keys_of(table)
        some = rows.some(table, fate)
        held = self.schema.holds.read(connection, keeping=True)
        if not (some and held.can(table.key)):
            return some
        mine = among(own, [one.key for one in some])
        statement = select(*own).where(mine, held.condition(table, table))
        kept = {written(row) for row in connection.execute(statement)}
        rows.set([one for one in some if written(one.key) in kept], Fate.HELD)
        return [one for one in some if written(one.key) not in kept]

    def _retains(self, table: Table) -> bool:
        owner = self.schema.owner(table)
        return owner is not None and owner.on_erase == "retain"

    # ------------------------------------------------------------------ what stays

    def _anonymise(self, now: Erasing, rows: RowList, table: Table) -> None:
        owner = self.schema.owner(table)
        assert owner is not None  # noqa: S101 - it says that they are anonymised
        some = self._not_held(rows, table, Fate.FOUND)
        keys = [one.key for one in some]
        beside = self.schema.beside.get(table.key, _NOBODY)
        now.counts.texts += beside.anonymise(rows.connection, keys)
        names = [name for name in owner.personal if not table.c[name].foreign_keys]
        # The way to the person that no foreign key keeps, and no deletion of the person ends.
        first = (way.steps[0] for way in owner.ways_to(now.whom.table) if way.steps)
        names += [one.columns[0] for one in first if not one.is_key]
        self._neutralise(rows.connection, table, keys, dict.fromkeys(names))
        rows.set(some, Fate.STAYS)
        now.counts.add(table.key, "anonymised", len(some))
        self.saga.save(rows.connection, now)
        reach(Failpoint.BATCH_READY)

    def empty_rows(self, erasing: Erasing, following: Step) -> None:
        """Leave of the rows that cannot go nothing but what must be there."""
        for table in self.schema.tables:
            while self._look(erasing, table, Fate.WAITING):
                self._in_step(
                    erasing,
                    Step.EMPTY,
                    partial(self._empty, table=table),
                )
                reach(Failpoint.BATCH_GONE)
        self._advance(erasing, following)

    def _empty(self, now: Erasing, rows: RowList, table: Table) -> None:
        some = self._not_held(rows, table, Fate.WAITING)
        keys = [one.key for one in some]
        beside = self.schema.beside.get(table.key, _NOBODY)
        now.counts.texts += beside.remove(rows.connection, keys)
        names = dict.fromkeys(
            name
            for name, column in table.c.items()
            if name not in self._indispensable(table)
            and not (column.foreign_keys and not column.nullable)
        )
        self._neutralise(rows.connection, table, keys, names, is_deleted=True)
        beside.forget(rows.connection, keys)
        rows.set(some, Fate.STAYS)
        now.counts.add(table.key, "emptied", len(some))
        self.saga.save(rows.connection, now)
        reach(Failpoint.BATCH_READY)

    def _indispensable(self, table: Table) -> set[str]:
        """Return the columns by which a row is known, and those that are Timber's own."""
        known = {column.key for column in table.primary_key}
        for link in self.schema.links.get(table.key, ()):
            known.update(link.targets)
        return known | {_DELETED_AT, _VERSION} | self.schema.kept.get(table.key, frozenset())

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

    # ------------------------------------------------------------------ the saga

    def _in_step(
        self, erasing: Erasing, step: Step, work: Callable[[Erasing, RowList], Result]
    ) -> Result | Any:
        """Do work in a transaction of its own; nothing if somebody else has gone on meanwhile."""

        def locked(connection: Connection) -> Result | Any:
            now = self.saga.locked(connection, erasing.erasure_id)
            return work(now, RowList(connection, now)) if now.step is step else _DONE

        done = self.transact(locked)
        self.on_rows(erasing)
        return done

    def _advance(self, erasing: Erasing, following: Step) -> None:
        self._in_step(
            erasing,
            erasing.step,
            lambda now, rows: self.saga.save(rows.connection, now, step=following),
        )


_DONE: Key = ("done",)
"""Told in the place of a key where there is nothing more to do."""
