"""Works off the list of rows that were written: what they say is cut up and stored as pieces."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    false,
    or_,
    select,
    true,
    update,
)

from timber.common.clock import Clock
from timber.common.database.sqlite_transactions import begin
from timber.common.vector.chunking import Budget, chunks_of
from timber.common.vector.derived import ANY_UNREAD
from timber.common.vector.rows import RowSource, owned, read_rows
from timber.common.vector.sealed_pieces import PieceSeals
from timber.common.vector.store import Pieces, Store
from timber.common.vector.waiting import ALL, Wanted, named, next_attempt

ROWS: Final = 64
"""How many rows are read in one transaction."""


class WorkedOff(NamedTuple):
    """What was done of the list."""

    rows: int
    """How many of its rows were done with."""
    is_all: bool
    """Whether those were all that were listed and free."""

    @property
    def is_more(self) -> bool:
        """Whether to go on: not where none could be read of those that are listed."""
        return not self.is_all and self.rows > 0


class Outbox:
    """The list of rows that were written and not read since."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        budget: Callable[[RowSource], Budget],
        seals: PieceSeals,
    ) -> None:
        self._store = store
        self._seals = seals
        self._clock = clock
        self._budget = budget

    def work_off(
        self,
        connection: Connection,
        sources: Mapping[str, RowSource],
        of: Wanted = ALL,
        *,
        last: int | None = None,
    ) -> WorkedOff:
        """Read some rows of the list, and return how many were done with; 0: there are none.

        In the order in which they were listed; of a long list only the `last` so many.

        With an `owner`, only rows that are theirs by now. Rows that are just being changed stay
        on the list, and so do those that others are at; an owner's are waited for. All of it is
        part of the connection's transaction: a row is on the list, or its pieces are stored.
        """
        wanted = [one for one in sources.values() if of.only is None or one.source_type in of.only]
        any_wanted = wanted and (last is None or last > 0)
        listed = self._listed(connection, wanted, of, last) if any_wanted else []
        by_source: dict[str, list[Row[Any]]] = {}
        for row in listed:
            by_source.setdefault(row.source_type, []).append(row)
        done = sum(
            self._read(connection, sources[source_type], rows)
            for source_type, rows in by_source.items()
        )
        return WorkedOff(done, is_all=len(listed) < ROWS)

    def _listed(
        self, connection: Connection, wanted: list[RowSource], of: Wanted, last: int | None
    ) -> list[Row[Any]]:
        if connection.execute(ANY_UNREAD[connection.dialect.name]).first() is None:
            return []  # without having kept anybody from writing
        table = self._store.outbox
        is_shared = connection.dialect.name == "postgresql"

        def made() -> Any:
            is_due = or_(table.c.not_before.is_(None), table.c.not_before <= bindparam("now"))
            whose: Any = None if of.owner is None else bindparam("of_owner")
            meant = and_(self.listed(wanted, whose), is_due)
            if last is not None:
                newest = select(table.c.number).where(meant).order_by(table.c.number.desc())
                meant = table.c.number.in_(newest.limit(bindparam("last")))
            statement = select(table).where(meant).order_by(table.c.number).limit(ROWS)
            # An owner's rows are about to be searched: what others are at is waited for.
            return (
                statement.with_for_update(skip_locked=of.owner is None) if is_shared else statement
            )

        types = tuple(one.source_type for one in wanted)
        key = ("outbox", types, of.owner is None, last is None, is_shared)
        statement = self._store.statements.made(key, made)
        asked: dict[str, Any] = {"now": self._clock.now()}
        asked |= {} if of.owner is None else {"of_owner": of.owner}
        asked |= {} if last is None else {"last": last}
        if not is_shared and connection.execute(statement, asked).first() is None:
            return []
        begin(connection, lasts=False)
        return list(connection.execute(statement, asked))

    def listed(self, sources: Iterable[RowSource], owner: Any) -> ColumnElement[bool]:
        """Return what the entries of some sources meet, of one owner's rows or of all.

        The owner may be a parameter.
        """
        table = self._store.outbox
        return or_(
            false(),
            *(
                and_(
                    table.c.source_type == one.source_type,
                    true() if owner is None else owned(one, table.c, owner),
                )
                for one in sources
            ),
        )

    def _read(self, connection: Connection, source: RowSource, listed: list[Row[Any]]) -> int:
        keys = list(dict.fromkeys(row.source_id for row in listed))
        found = read_rows(connection, source, keys, self._seals, statements=self._store.statements)
        budget = self._budget(source)
        texts = [Pieces(one, tuple(chunks_of(one.content, budget))) for one in found.documents]
        kept, stale = self._store.refresh(connection, texts)
        silent = found.settled.difference(one.document.source_id for one in texts)
        self._store.remove(connection, ((source.source_type, key) for key in stale | silent))
        changed = [one for one in texts if one.document.source_id not in kept]
        pieces = self._store.add(connection, changed, now=self._clock.now())
        self._store.await_vectors(connection, source.source_type, pieces)
        self._strike(connection, [row.number for row in listed if row.source_id in found.settled])
        for row in listed:
            if row.source_id in found.failed:
                self._put_off(connection, row, found.failed[row.source_id])
        return sum(row.source_id in found.settled for row in listed) + len(found.failed)

    def _strike(self, connection: Connection, numbers: list[int]) -> None:
        table = self._store.outbox
        if numbers:
            struck = table.c.number.in_(bindparam("numbers", expanding=True))
            gone = self._store.statements.made("struck", lambda: delete(table).where(struck))
            connection.execute(gone, {"numbers": numbers})

    def _put_off(self, connection: Connection, row: Row[Any], error: Exception) -> None:
        table = self._store.outbox
        connection.execute(
            update(table).where(table.c.number == row.number),
            {
                "attempts": row.attempts + 1,
                "not_before": next_attempt(self._clock.now(), row.attempts),
                "problem": named(error),
            },
        )
