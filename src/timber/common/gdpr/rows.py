"""Takes the rows of a person out of the tables, a batch and a transaction at a time.

Children go before their parents. What points to a row that goes, and may be null, is set to null
first. A row to which something points that stays - what is retained, or what is somebody else's -
is not deleted but emptied: nothing is left of it but its key and what must not be null.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, select

from timber.common.clock import Clock
from timber.common.errors import ErasureError
from timber.common.failpoints import reach
from timber.common.gdpr.beside import NOTHING_BESIDE
from timber.common.gdpr.emptying import Emptier
from timber.common.gdpr.failpoints import Failpoint
from timber.common.gdpr.rings import blocked, circles, delete_together, window
from timber.common.gdpr.row_list import Fate, Listed, RowList, written
from timber.common.gdpr.saga import Erasing, Saga, Step
from timber.common.gdpr.schema import Schema
from timber.common.gdpr.subjects import among, keys_of
from timber.common.gdpr.unlinking import Unlinker
from timber.common.ids import IdFactory

Result = TypeVar("Result")
Key = tuple[Any, ...]

MOST_SWEEPS = 20
"""How often rows are looked for again that were written during the erasure, before it gives up."""


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
            if self._in_step(erasing, Step.ROWS, self._begin_round) is True:
                continue
            if not any(self._delete_circle(erasing, one) for one in circles(self.schema)):
                self._in_step(erasing, Step.ROWS, partial(self._end_rounds, following=following))
                return

    def _begin_round(self, now: Erasing, rows: RowList) -> bool:
        """Begin another round; return False if there is none, for the last one moved nothing."""
        if rows.has(Fate.FOUND):
            return True
        gone = now.counts.total("deleted")
        moved = gone != now.counts.gone_before
        now.counts.gone_before = gone
        again = moved and rows.has(Fate.WAITING)
        if again:
            rows.try_again()
        self.saga.save(rows.connection, now)
        return again

    def _end_rounds(self, now: Erasing, rows: RowList, following: Step) -> None:
        self.saga.save(rows.connection, now, step=following)

    def _delete_circle(self, erasing: Erasing, circle: Sequence[Table]) -> bool:
        """Delete rows that need each other in circles; return whether some went."""
        after: Mapping[str, int] = {}

        def work(now: Erasing, rows: RowList) -> tuple[bool, Mapping[str, int]] | None:
            some = window(rows, self.schema, circle, after)
            if some.is_empty:
                return None
            before = now.counts.total("deleted")
            self._delete(now, rows, some.rows)
            return now.counts.total("deleted") > before, some.last

        while True:
            done = self._in_step(erasing, Step.ROWS, work)
            if done is None or done is _DONE:
                return False
            went, after = done
            if went:
                return True

    def _batch(self, erasing: Erasing, table: Table) -> bool:
        """Do with some rows what their model says; return whether there were any."""
        owner = self.schema.owner(table)
        if owner is not None and owner.on_erase == "anonymise":
            done = self._in_step(erasing, Step.ROWS, partial(self._anonymise, table=table))
        else:
            self._unlink(erasing, table)
            done = self._in_step(erasing, Step.ROWS, partial(self._delete_some, table=table))
        if done is not True:
            return False
        reach(Failpoint.BATCH_GONE)
        return True

    def _look(self, erasing: Erasing, table: Table, fate: Fate) -> list[Listed]:
        def work(connection: Connection) -> list[Listed]:
            return RowList(connection, erasing).some(table, fate)

        found: list[Listed] = self.transact(work)
        return found

    def _delete_some(self, now: Erasing, rows: RowList, table: Table) -> bool:
        some = rows.some(table, Fate.FOUND)
        if some:
            self._delete(now, rows, {table.key: some})
        return bool(some)

    def _delete(self, now: Erasing, rows: RowList, chosen: Mapping[str, Sequence[Listed]]) -> None:
        """Delete rows of some tables together, but for those that something needs."""
        connection, tables = rows.connection, self.schema.belonging.metadata.tables
        some = {
            name: self._not_held(rows, tables[name], listed) for name, listed in chosen.items()
        }
        wanted = {name: [one.key for one in listed] for name, listed in some.items()}
        for name, keys in wanted.items():
            # Under a lock, so that nothing new can point to them; SQLite has one writer.
            own = keys_of(tables[name])
            if keys and connection.dialect.name != "sqlite":
                connection.execute(select(*own).where(among(own, keys)).with_for_update())
        stuck = blocked(connection, self.schema, wanted)
        going = {
            name: [one for one in listed if one.text not in stuck[name]]
            for name, listed in some.items()
            if listed
        }
        gone = {name: [one.key for one in listed] for name, listed in going.items()}
        beside = {name: self.schema.beside.get(name, NOTHING_BESIDE) for name in gone}
        for name, keys in gone.items():
            now.counts.texts += beside[name].remove(connection, keys) if keys else 0
        for name, number in delete_together(connection, self.schema, gone).items():
            beside[name].forget(connection, gone[name])
            now.counts.add(name, "deleted", number)
        for name, listed in going.items():
            rows.strike(listed)
            waiting = [one for one in some[name] if one.text in stuck[name]]
            rows.set(waiting, Fate.WAITING)
        self.saga.save(connection, now)
        if going:
            reach(Failpoint.BATCH_READY)

    # ------------------------------------------------------------------ links

    def _unlink(self, erasing: Erasing, table: Table) -> None:
        """Let nothing that stays point to the next rows that go, as far as that may be null."""
        links = [link for link in self.schema.links.get(table.key, ()) if link.loose]
        keys = [one.key for one in self._look(erasing, table, Fate.FOUND)] if links else []
        for link in links:
            if keys:
                unlink = partial(
                    Unlinker(schema=self.schema, saga=self.saga).unlink_some,
                    link=link,
                    table=table,
                    keys=keys,
                )
                last: Key | None = None
                while True:
                    last = self._in_step(erasing, Step.ROWS, partial(unlink, last=last))
                    if last is None or last is _DONE:
                        break

    def _not_held(self, rows: RowList, table: Table, some: Sequence[Listed]) -> list[Listed]:
        """Return rows but for those that came to be held meanwhile."""
        connection, own = rows.connection, keys_of(table)
        held = self.schema.holds.read(connection, keeping=True)
        if not (some and held.can(table.key)):
            return list(some)
        mine = among(own, [one.key for one in some])
        statement = select(*own).where(mine, held.condition(table, table))
        kept = {written(row) for row in connection.execute(statement)}
        rows.set([one for one in some if one.text in kept], Fate.HELD)
        return [one for one in some if one.text not in kept]

    # ------------------------------------------------------------------ what stays

    def _anonymise(self, now: Erasing, rows: RowList, table: Table) -> None:
        self._emptier.anonymise(
            now, rows, table, self._not_held(rows, table, rows.some(table, Fate.FOUND))
        )

    def _empty(self, now: Erasing, rows: RowList, table: Table) -> None:
        self._emptier.empty(
            now, rows, table, self._not_held(rows, table, rows.some(table, Fate.WAITING))
        )

    @property
    def _emptier(self) -> Emptier:
        return Emptier(schema=self.schema, saga=self.saga, clock=self.clock, new_id=self.new_id)

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
