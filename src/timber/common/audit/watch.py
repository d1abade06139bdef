"""Where the writes of an engine pass, so that what they noted is chained before the commit."""

import sqlite3
from collections.abc import Callable, Set as AbstractSet
from typing import Any, Final

from sqlalchemy import Connection, Engine, TextClause, event

from timber.common.audit.actors import who_acts
from timber.common.audit.recorder import Recorder, Written
from timber.common.audit.tables import PENDING
from timber.common.caching.changes import Change, Changes
from timber.common.errors import SchemaMismatchError

_WRITTEN: Final = "timber_audit_written"
_FLOOR: Final = "timber_audit_floor"


class WriteWatch:
    """Notes which transactions write audited rows, and has them chained in the end."""

    def __init__(
        self,
        *,
        changes: Changes,
        tables: frozenset[str],
        recorder: Recorder,
        after: Callable[[], None],
    ) -> None:
        self._changes = changes
        self._tables = tables
        self._recorder = recorder
        self._after = after
        self.lacking: frozenset[str] = frozenset()
        """Tables without the triggers of their audit: nothing is written to them."""
        self.has_log = True
        self.is_aside = False
        """Whether tables are being changed, and nothing is noted."""
        self._is_sqlite = recorder.engine.dialect.name == "sqlite"

    def install(self, engine: Engine) -> None:
        """Have everything that the engine does pass here."""
        for name in ("do_execute", "do_executemany"):
            event.listen(engine, name, self._before_execute)
        event.listen(
            engine,
            "do_execute_no_params",
            lambda cursor, statement, context: self._before_execute(
                cursor, statement, None, context
            ),
        )
        event.listen(engine, "commit", self._before_commit)
        event.listen(engine, "prepare_twophase", lambda connection, _: self._chain(connection))
        event.listen(engine, "rollback", lambda connection: connection.info.pop(_WRITTEN, None))
        event.listen(engine, "reset", lambda _, record, __: record.info.pop(_WRITTEN, None))

    def note(self, connection: Connection, table: str) -> None:
        """Note rows that are about to be written on the driver's own cursor."""
        self._refuse({table})
        if table in self._tables:
            self._noted(connection, connection.connection.cursor())

    def _before_execute(self, cursor: Any, statement: str, _parameters: Any, context: Any) -> None:
        if context is None or self.is_aside:
            return
        compiled = context.compiled
        if compiled is None or isinstance(compiled.statement, TextClause):
            changes = self._changes.of_text(statement)
        else:
            changes = self._changes.of_compiled(compiled)
        if self.lacking:
            self._refuse({change.table for change in changes})
        if self.has_log and any(self._is_audited(change) for change in changes):
            self._noted(context.root_connection, cursor.connection.cursor())

    def _refuse(self, written: AbstractSet[str | None]) -> None:
        for name in sorted(self.lacking & written):
            raise SchemaMismatchError(f"{name} is audited, and lacks the triggers of its audit")

    def _is_audited(self, change: Change) -> bool:
        return change.table is None or change.table in self._tables

    def _noted(self, connection: Connection, cursor: Any) -> None:
        acting = who_acts()
        written: Written | None = connection.info.get(_WRITTEN)
        if written is None:
            connection.info[_WRITTEN] = Written(self._floor(connection, cursor), acting)
        elif written.acting != acting:
            written.spans.append((self._recorder.last_noted(cursor), written.acting))
            written.acting = acting

    def _floor(self, connection: Connection, cursor: Any) -> int:
        if not self._is_sqlite:
            # Numbers are given out in order, so whatever comes has a greater one.
            return int(connection.info.get(_FLOOR, 0))
        driver: Any = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection) and driver.isolation_level is not None:
            if not driver.in_transaction:
                cursor.execute("BEGIN IMMEDIATE")
            cursor.execute(f"SELECT seq FROM sqlite_sequence WHERE name = '{PENDING.name}'")
            found = cursor.fetchone()
            return int(found[0]) if found else 0
        return 0

    def _before_commit(self, connection: Connection) -> None:
        try:
            self._chain(connection)
        except BaseException:
            _undo(connection)
            raise

    def _chain(self, connection: Connection) -> None:
        written: Written | None = connection.info.pop(_WRITTEN, None)
        if written is None:
            return
        if _commits_by_itself(connection):
            self._after()  # each statement was a transaction; they are chained in one of their own
            return
        connection.info[_FLOOR] = self._recorder.chain(connection, written)


def _undo(connection: Connection) -> None:
    """Undo a transaction that must not be committed.

    SQLAlchemy takes a transaction whose commit has failed for ended, and does not roll it back:
    the pool would hand it to the next user, who would commit it. One whose preparation has failed
    it does roll back.
    """
    driver: Any = connection.connection.driver_connection
    try:
        driver.rollback()
    except BaseException:
        connection.invalidate()  # its end is the transaction's, too
        raise


def _commits_by_itself(connection: Connection) -> bool:
    driver: Any = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        return driver.isolation_level is None
    return bool(getattr(driver, "autocommit", False))
