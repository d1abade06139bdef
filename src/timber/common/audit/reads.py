"""Who read what: kept in memory for a moment, and stored by a thread in transactions of its own.

So what was read is recorded whether its reader commits, rolls back or does neither. A reader
waits only when too much is kept, and not while it holds SQLite's right to write, for then the
thread would wait for it.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.orm import Mapper, ORMExecuteState, Session

from timber.common.audit.actors import Acting, who_acts
from timber.common.audit.audited import AuditedTable
from timber.common.clock import Clock
from timber.common.errors import TimberError

_log: Final = logging.getLogger(__name__)
_SETTLE_SECONDS: Final = 0.05
"""How long it waits for more to store at once; what a kill can lose of reads is as old."""
_AT_ONCE: Final = 2_000
_MOST: Final = 20_000
_PATIENCE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Read:
    """One row that was loaded, or one query of columns whose rows nobody knows."""

    table: str
    moment: datetime
    acting: Acting | None
    key: tuple[Any, ...] | None
    link: Any
    columns: tuple[str, ...]


Store = Callable[[Sequence[Read]], None]


class Reads:
    """What was read and is not yet stored."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._kept: list[Read] = []
        self._changed = threading.Condition()
        self._storing = False
        self._ended = False
        self._thread: threading.Thread | None = None
        self._listening: list[tuple[Any, str, Any]] = []

    def start(self, models: Mapping[type[Any], AuditedTable], sessions: Any) -> None:
        """Note every load of rows of these models from now on."""
        for model, audited in models.items():
            self._listen(model, "load", self._loader(model, audited))
            self._listen(model, "refresh", self._refresher(model, audited))
        by_table = {one.table: one for one in models.values()}
        self._listen(sessions, "do_orm_execute", lambda state: self._query(state, by_table))
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="timber-reads", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Store what is kept, and note no more."""
        for target, name, listener in self._listening:
            event.remove(target, name, listener)
        self._listening.clear()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def flush(self) -> None:
        """Wait until everything that was read so far is stored.

        Raises:
            TimberError: it cannot be stored now; it is kept, and tried again.

        """
        while True:
            with self._changed:
                while self._storing:
                    self._changed.wait()
                if not self._kept:
                    return
                taken = self._take()
            self._put(taken)

    def _listen(self, target: Any, name: str, listener: Any) -> None:
        event.listen(target, name, listener)
        self._listening.append((target, name, listener))

    def _loader(self, model: type[Any], audited: AuditedTable) -> Any:
        note = self._noter(model, audited)

        def loaded(row: Any, context: Any) -> None:
            note(row, audited.fields, context)

        return loaded

    def _refresher(self, model: type[Any], audited: AuditedTable) -> Any:
        note = self._noter(model, audited)
        fields = frozenset(audited.fields)

        def refreshed(row: Any, context: Any, attributes: Any) -> None:
            read = audited.fields if attributes is None else tuple(fields.intersection(attributes))
            if read:
                note(row, tuple(sorted(read)), context)

        return refreshed

    def _noter(self, model: type[Any], audited: AuditedTable) -> Any:
        mapper: Mapper[Any] = model.__mapper__
        link = None
        if audited.link_columns:
            link = mapper.get_property_by_column(audited.link_columns[0]).key

        def note(row: Any, columns: tuple[str, ...], context: Any) -> None:
            self._keep(
                Read(
                    audited.name,
                    self._clock.now(),
                    who_acts(),
                    tuple(mapper.primary_key_from_instance(row)),
                    row.__dict__.get(link) if link else None,
                    columns,
                ),
                getattr(context, "session", None),
            )

        return note

    def _query(self, state: ORMExecuteState, tables: Mapping[Any, AuditedTable]) -> None:
        """Note a query that gives columns of such rows, but no rows."""
        if not state.is_select or state.is_column_load or state.is_relationship_load:
            return
        asked: dict[str, list[str]] = {}
        for described in getattr(state.statement, "column_descriptions", ()):
            expression = described.get("expr")
            for column in getattr(expression, "base_columns", ()):
                audited = tables.get(getattr(column, "table", None))
                if audited is not None and column.name in audited.fields:
                    asked.setdefault(audited.name, []).append(column.name)
        for name, columns in asked.items():
            read = Read(name, self._clock.now(), who_acts(), None, None, tuple(sorted(columns)))
            self._keep(read, state.session)

    def _keep(self, read: Read, session: Session | None) -> None:
        with self._changed:
            self._kept.append(read)
            if len(self._kept) == 1 or len(self._kept) % _AT_ONCE == 0:
                self._changed.notify_all()
            if len(self._kept) < _MOST or _holds_the_pen(session):
                return
            self._changed.wait_for(lambda: len(self._kept) < _MOST, _PATIENCE_SECONDS)

    def _take(self) -> list[Read]:
        taken, self._kept = self._kept[:_AT_ONCE], self._kept[_AT_ONCE:]
        self._storing = bool(taken)
        return taken

    def _put(self, taken: list[Read]) -> None:
        stored = False
        try:
            self._store(taken)
            stored = True
        finally:
            with self._changed:
                if not stored:
                    self._kept[:0] = taken
                self._storing = False
                self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._kept) or self._ended)
                if not self._ended:
                    self._changed.wait_for(
                        lambda: len(self._kept) >= _AT_ONCE or self._ended, _SETTLE_SECONDS
                    )
                ended = self._ended
            try:
                self.flush()
            except TimberError as error:
                _log.warning("what was read cannot be recorded yet: %s", error)
                if ended:
                    return
                with self._changed:
                    self._changed.wait_for(lambda: self._ended, 1.0)
            if ended:
                return


def _holds_the_pen(session: Session | None) -> bool:
    """Tell whether the session's transaction keeps everybody else from writing."""
    connection = getattr(session, "connection_in_use", None)
    if connection is None or connection.closed:
        return False
    driver: Any = connection.connection.driver_connection
    return isinstance(driver, sqlite3.Connection) and driver.in_transaction
