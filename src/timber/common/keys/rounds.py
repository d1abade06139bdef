"""Going through the rows of tables, page by page, so that a kill loses no more than a page."""

from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection

from timber.common.database.service import DatabaseService
from timber.common.encryption.identities import SealTarget
from timber.common.errors import EncryptionError, SubjectErasedError
from timber.common.failpoints import NamedPlace, reach
from timber.common.keys.raw_tables import Change, RawRow, RawTable
from timber.common.keys.renewals import Renewals

ROWS_AT_ONCE: Final = 200
_MOST_NAMED: Final = 20

Sleep: TypeAlias = Callable[[float], None]
Show: TypeAlias = Callable[[str, int, int], None]
"""Of a table, how many rows are done, and of how many."""
_AGAIN_SECONDS: Final = 0.05
"""How long to wait for others who hold rows."""


@dataclass(frozen=True)
class Due:
    """What is to be changed of the rows of a page."""

    changes: Sequence[Change]
    held: int = 0
    """How many rows wait, besides, for others who hold them."""


Unheard: TypeAlias = Callable[[Connection], AbstractContextManager[None]]
"""For the length of a block, has those who follow rows not take what is written for a change."""
RenewPage: TypeAlias = Callable[[Connection, RawTable, Sequence[RawRow]], Due]


class RoundFailpoint(NamedPlace):
    """Every place of a round at which a process can be ended on purpose."""

    PAGE_CHANGED = "keys.round.page_changed"
    """The rows of a page are renewed; it is not noted."""
    PAGE_NOTED = "keys.round.page_noted"
    """It is noted that the rows up to one are renewed."""
    TABLE_DONE = "keys.round.table_done"
    """A whole table needs nothing more."""


@dataclass
class Unreadable:
    """Values that could not be opened, and were left as they are."""

    count: int = 0
    erased: int = 0
    """How many others are of subjects that were erased; that is as it should be."""
    named: list[str] = field(default_factory=list)
    """The first of them, each with its trouble."""

    def __post_init__(self) -> None:
        self._seen: dict[tuple[str, str], set[tuple[Any, ...]]] = {}

    def add(self, target: SealTarget, error: EncryptionError) -> None:
        """Note a value that cannot be opened, once."""
        seen = self._seen.setdefault((target.table, target.column), set())
        if target.key in seen:
            return
        seen.add(target.key)
        if isinstance(error, SubjectErasedError):
            self.erased += 1
            return
        self.count += 1
        if len(self.named) < _MOST_NAMED:
            self.named.append(f"row {target.key} of {target.table}: {error}")

    def keys(self, table: str, column: str) -> AbstractSet[tuple[Any, ...]]:
        """Return the primary keys of the rows whose value of a column could not be opened."""
        return self._seen.get((table, column), set())


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast to go, and how to tell of it."""

    rows_at_once: int = ROWS_AT_ONCE
    """How many rows one transaction changes."""
    rows_per_second: float | None = None
    """None: as fast as it goes."""
    sleep: Sleep
    show: Show = lambda _table, _done, _of: None


class Rounds:
    """Goes through tables until nothing in them is left to renew."""

    def __init__(
        self, *, database: DatabaseService, renewals: Renewals, pace: Pace, unheard: Unheard
    ) -> None:
        self._database = database
        self._unheard = unheard
        self._renewals = renewals
        self._pace = pace

    def go(
        self,
        name: str,
        tables: Mapping[str, RawTable],
        renew: RenewPage,
    ) -> int:
        """Renew the rows of the tables that the progress of that name lists.

        Returns how many changes were made. Each table is gone through until a round finds
        nothing to change, so that it does not matter what others write meanwhile.
        """
        changed = 0
        progress = self._renewals.progress(name) or {}
        while progress["tables"]:
            table = tables.get(progress["tables"][0])
            if table is not None:  # else its model has gone since the renewal was begun
                changed += self._table(name, table, renew, progress)
            progress = {**progress, "tables": progress["tables"][1:], "after": None}
            self._renewals.note(name, progress)
            reach(RoundFailpoint.TABLE_DONE)
        return changed

    def _table(
        self,
        name: str,
        table: RawTable,
        renew: RenewPage,
        progress: dict[str, Any],
    ) -> int:
        after = table.read_note(progress["after"]) if progress["after"] else None
        total = self._database.run_sync(lambda session: table.count(session.connection()))
        changed = 0
        is_first, is_clean = True, False
        while not is_clean:
            is_clean, done = after is None, 0
            while page := self._page(table, after, renew):
                after = page.last
                changed += page.changed
                is_clean = is_clean and not page.changed and not page.held
                reach(RoundFailpoint.PAGE_CHANGED)
                self._renewals.note(name, {**progress, "after": table.noted(after)})
                reach(RoundFailpoint.PAGE_NOTED)
                done += page.rows
                if is_first:
                    self._pace.show(table.name, done, max(total, done))
                self._rest(page)
            after, is_first = None, False
        return changed

    def _page(self, table: RawTable, after: Any, renew: RenewPage) -> "_Page | None":
        def work(session: Any) -> _Page | None:
            connection = session.connection()
            rows = table.page(connection, after, self._pace.rows_at_once)
            if not rows:
                return None
            due = renew(connection, table, rows)
            if due.changes:
                with self._unheard(connection):
                    table.replace(connection, due.changes)
            return _Page(rows[-1].key, len(rows), len(due.changes), due.held)

        return self._database.run_sync(work)

    def _rest(self, page: "_Page") -> None:
        if self._pace.rows_per_second is not None:
            self._pace.sleep(page.rows / self._pace.rows_per_second)
        if page.held:
            self._pace.sleep(_AGAIN_SECONDS)


@dataclass(frozen=True)
class _Page:
    last: tuple[Any, ...]
    rows: int
    changed: int
    held: int
