"""The audit log of one Timber: what is in it, whether it is whole, and what is put into it."""

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, MetaData, null, select, update

from timber.common.audit import triggers
from timber.common.audit.actors import who_acts
from timber.common.audit.anchors import Anchor, load_anchor
from timber.common.audit.apart import Apart
from timber.common.audit.audited import AuditedTable, is_as_said
from timber.common.audit.chain import commitments, key_text
from timber.common.audit.history import Filter, Recorded, history
from timber.common.audit.marks import Marks
from timber.common.audit.notes import Note, Operation
from timber.common.audit.readers import notes_of
from timber.common.audit.reads import Read, Reads
from timber.common.audit.recorder import Recorder
from timber.common.audit.tables import LOG, complete_log, has_log
from timber.common.audit.verification import Show, Verification, Verifier
from timber.common.audit.watch import WriteWatch
from timber.common.caching.changes import Changes
from timber.common.clock import Clock
from timber.common.database.bulk import WRITTEN_PAST
from timber.common.database.schema import alone
from timber.common.database.service import DatabaseService
from timber.common.database.session import TimberSession
from timber.common.database.sqlite_transactions import begin
from timber.common.encryption.base import Keystore
from timber.common.errors import AuditError, NotOpenError, SchemaMismatchError

_COLLECT_EVERY: Final = 64
"""After so many transactions, what was written past Timber is chained, too."""


class AuditService:
    """Records who does what to the rows of audited models, and proves it.

    What Timber writes is chained in the transaction that writes it; what others write is noted
    in theirs by the database, and chained soon after, as from outside.
    """

    def __init__(
        self,
        *,
        database: DatabaseService,
        metadata: MetaData,
        clock: Clock,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._metadata = metadata
        self._clock = clock
        self._timer = timer
        self._tables: Mapping[str, AuditedTable] = {}
        self._outsiders: Apart | None = None
        self._recorder: Recorder | None = None
        self._reads: Reads | None = None
        self._watch: WriteWatch | None = None
        self._chained = count(1)

    def open(
        self,
        *,
        tables: Mapping[str, AuditedTable],
        models: Mapping[str, type[Any]],
        keystore: Callable[[], Keystore],
        default_actor: str,
        complete: bool,
        key_bound_seconds: float = 1.0,
    ) -> None:
        """Have everything that is written to these tables recorded; `models` by their tables.

        `complete` makes what the database lacks for it; else it is looked for.

        What lacks triggers can be read, but not written.

        Raises:
            KeystoreError: the key of the chains cannot be read.

        """
        engine = self._database.engine
        with engine.begin() as connection:
            if complete:
                alone(connection)
                complete_log(connection)
                triggers.complete(connection, dict(tables))
            is_there = complete or has_log(connection)
            lacking = (
                frozenset(one.name for one in tables.values() if triggers.missing(connection, one))
                if is_there
                else frozenset(tables)
            )
        marks = Marks(keystore, bound_seconds=key_bound_seconds, timer=self._timer)
        recorder = Recorder(
            engine=engine,
            marks=marks,
            tables=tables,
            clock=self._clock,
            default_actor=default_actor,
        )
        watch = WriteWatch(
            changes=Changes(self._metadata),
            tables=frozenset(tables),
            recorder=recorder,
            after=self._after,
        )
        watch.lacking = lacking
        watch.install(engine)
        watch.has_log = is_there
        self._watch = watch
        engine.update_execution_options(**{WRITTEN_PAST: (watch.note,)})
        self._recorder, self._tables = recorder, tables
        if engine.dialect.name == "postgresql":
            self._outsiders = Apart(engine)
        reading = {models[name]: one for name, one in tables.items() if one.reads}
        if reading:
            self._reads = Reads(store=self._store_reads, clock=self._clock)
            self._reads.start(reading, TimberSession)
        if is_there:
            _ = marks.key  # what is wrong with the keys is said now
            self.collect()

    def close(self) -> None:
        """Store what was read, and forget the keys."""
        if self._reads is not None:
            self._reads.stop()
        for one in (self._recorder, self._outsiders):
            if one is not None:
                one.close()
        self._reads = self._recorder = self._outsiders = self._watch = None
        self._tables = {}

    # ------------------------------------------------------------------ what people ask

    def log(  # noqa: PLR0913 - one filter each, all by keyword
        self,
        *,
        table: str | None = None,
        key: Sequence[Any] | None = None,
        actor: str | None = None,
        operation: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[Recorded]:
        """Yield what was recorded, the newest first; `key` is a row's primary key.

        Raises:
            NotOpenError: the Timber is not open, or none of its models is audited.

        """
        self.flush()
        self.collect()
        wanted = Filter(
            table=table, key=key, actor=actor, operation=operation, since=since, until=until
        )
        return history(self._opened().engine, wanted, limit)

    def verify(
        self, *, anchor: Anchor | Path | None = None, show: Show = lambda _done, _of: None
    ) -> Verification:
        """Go through the whole log and tell whether it is as it was written.

        With an `anchor`, or its file, also whether entries were cut off since it was made.

        Raises:
            NotOpenError: the Timber is not open, or none of its models is audited.
            AuditError: the anchor cannot be used.

        """
        recorder = self._opened()
        self.flush()
        self.collect()
        if isinstance(anchor, Path):
            anchor = load_anchor(anchor, recorder.marks.key)
        verifier = Verifier(recorder.engine, recorder.marks, self._tables, anchor)
        return verifier.verify(show)

    def anchor(self) -> str:
        """Return where all chains end now, as JSON, signed; keep it apart from the database.

        Raises:
            NotOpenError: the Timber is not open, or none of its models is audited.
            AuditError: the log is not intact, so no end of it proves anything.

        """
        found = self.verify()
        if not found.is_intact:
            first = found.problems[0].what
            raise AuditError(f"the audit log is broken ({first}): run `timber audit verify`")
        return self.anchor_of(found)

    def anchor_of(self, found: Verification) -> str:
        """Return the signed ends of the chains as a verification has found them."""
        return Anchor(self._clock.now(), found.heads).written(self._opened().marks.key)

    def confirms(self, recorded: Recorded, column: str, value: Any) -> bool:
        """Tell whether an entry commits to this value of a column, which the log does not hold.

        False also if the entry says nothing of the column, or if its subject was erased.
        """
        said = recorded.commitments.get(column)
        if said is None or recorded.key is None:
            return False
        recorder = self._opened()
        with recorder.engine.connect() as connection:
            subject = connection.scalar(
                select(LOG.c.subject).where(
                    LOG.c.lane == recorded.lane, LOG.c.position == recorded.position
                )
            )
        about = None if subject is None else recorder.marks.of(subject)
        if about is None or about.secret is None:
            return False
        key = key_text(recorded.key)
        made = commitments(about.secret, recorded.table, key, {column: value})
        return made[column] == said

    # ------------------------------------------------------------------ what is put into it

    def record(
        self,
        connection: Connection,
        operation: Operation,
        *,
        table: str,
        facts: Mapping[str, Any],
    ) -> None:
        """Record what was done to a table as a whole, in the connection's transaction.

        `facts` are texts and whole numbers about nobody.
        """
        recorder = self._opened()
        begin(connection)
        note = Note(
            table=table,
            operation=operation,
            moment=self._clock.now(),
            acting=who_acts() or recorder.default,
            facts=facts,
        )
        recorder.append(connection, [note])

    def forget(self, subject: str) -> int:
        """Forget the keys, and the name, of a subject in all entries; return how many had one.

        For after the keystore has erased it. The chains stay whole: no hash is over what goes.
        """
        recorder = self._opened()
        recorder.marks.forget(subject)
        mark = recorder.marks.keystore.tombstone_of(subject)
        acted = f'%"actor_subject":"{mark.hex()}"%'
        with recorder.engine.begin() as connection:
            forgotten = connection.execute(
                update(LOG)
                .where(LOG.c.subject_mark == mark, LOG.c.subject.is_not(None))
                .values(row_key=null(), subject=null())
            ).rowcount
            connection.execute(
                update(LOG)
                .where(LOG.c.details.like(acted), LOG.c.actor.is_not(None))
                .values(actor=null(), actor_subject=null())
            )
        return int(forgotten)

    def flush(self) -> None:
        """Wait until everything that was read so far is recorded."""
        if self._reads is not None:
            self._reads.flush()

    def collect(self) -> int:
        """Chain what was written past Timber, and return how many entries that were."""
        return self._collect(self._opened().engine.begin)

    def _collect(
        self, transaction: Callable[[], contextlib.AbstractContextManager[Connection]]
    ) -> int:
        recorder, total = self._opened(), 0
        while True:
            with transaction() as connection:
                begin(connection)
                found = recorder.chain_outside(connection)
            total += found
            if not found:
                return total

    @property
    def is_open(self) -> bool:
        return self._recorder is not None

    def _after(self) -> None:
        # Whoever comes here has a connection of the pool in his hand.
        if self._outsiders is None:
            self.collect()
        else:
            self._collect(self._outsiders.begin)

    def _store_reads(self, reads: Sequence[Read]) -> None:
        recorder = self._opened()
        with recorder.engine.begin() as connection:
            begin(connection)
            notes = notes_of(connection, reads, self._tables, recorder.default)
            recorder.append(connection, notes)

    @contextlib.contextmanager
    def set_aside(self, connection: Connection) -> Generator[None]:
        """Let tables be changed in the connection's transaction, without the triggers on them.

        They are made again in the end, in the same transaction, on tables that are as the models
        say by then; what the change itself does to rows is not recorded, but the change is.
        """
        if self._watch is None or connection.dialect.name not in {"sqlite", "postgresql"}:
            yield
            return
        for name, table in triggers.present(connection).items():
            triggers.drop(connection, name, table)
        self._watch.is_aside = True
        try:
            yield
            complete_log(connection)
            known = {
                name: one for name, one in self._tables.items() if is_as_said(connection, one)
            }
            triggers.complete(connection, known)
        finally:
            self._watch.is_aside = False
        self._watch.lacking = frozenset(self._tables) - known.keys()
        self._watch.has_log = True
        for name in known:
            self.record(connection, "migrate", table=name, facts={})

    def _opened(self) -> Recorder:
        if self._recorder is None:
            raise NotOpenError
        if self._watch is None or not self._watch.has_log:
            raise SchemaMismatchError(f"models are audited, and the table {LOG.name} is missing")
        return self._recorder
