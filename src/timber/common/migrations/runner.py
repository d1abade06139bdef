"""Runs steps: each in one transaction, one process at a time."""

import contextlib
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Final, TypeAlias

from sqlalchemy import Connection, Engine, text

from timber.common.clock import Clock
from timber.common.database.schema import alone
from timber.common.database.sqlite_references import without_references
from timber.common.errors import DataLossError, MigrationError, MissingReferenceError
from timber.common.migrations.context import migration_context
from timber.common.migrations.guard import watched_operations
from timber.common.migrations.history import Applied, read_history, record, strike
from timber.common.migrations.progress import OnProgress, Progress, Tell
from timber.common.migrations.revisions import Revision
from timber.common.migrations.seal_operations import HAS_SEALED
from timber.common.migrations.wiping import overwriting, wipe

_LOCK_TIMEOUT: Final = "10s"
"""How long a statement waits for a table; whoever comes after it waits as long."""


Around: TypeAlias = Callable[[Connection], AbstractContextManager[None]]
"""What is done before and after a step, in its transaction."""


def nothing_around(_connection: Connection) -> AbstractContextManager[None]:
    """Do nothing before and after a step."""
    return contextlib.nullcontext()


class Runner:
    """Applies steps to one database, and takes them back."""

    def __init__(self, *, engine: Engine, clock: Clock, around: Around = nothing_around) -> None:
        self._engine = engine
        self._around = around
        self._clock = clock

    def apply_next(
        self,
        revisions: Sequence[Revision],
        *,
        allow_data_loss: bool,
        on_progress: OnProgress | None = None,
    ) -> Revision | None:
        """Apply the first step that the database has not seen, and return it; None: there is none.

        Raises:
            DataLossError: the step destroys data, and may not.
            MigrationError: the database has seen other steps than these.
            DatabaseError: the database refused; it is as it was.

        """
        with self._alone() as connection:
            pending = pending_of(revisions, read_history(connection))
            if not pending:
                return None
            step = pending[0]
            done = len(revisions) - len(pending)
            tell = _teller(on_progress, Progress(done=done, steps=len(revisions), step=step.name))
            has_sealed = self._run(
                connection, step.name, step.upgrade, allow_data_loss=allow_data_loss, tell=tell
            )
            record(connection, self._applied(step))
        if has_sealed:
            wipe(self._engine)
        return step

    def adopt(
        self, revisions: Sequence[Revision], *, check: Callable[[Connection], None]
    ) -> tuple[Revision, ...]:
        """Note all steps as applied without running them, if `check` lets it be."""
        with self._alone() as connection:
            pending = pending_of(revisions, read_history(connection))
            check(connection)
            for step in pending:
                record(connection, self._applied(step))
            return pending

    def roll_back(
        self,
        revisions: Sequence[Revision],
        *,
        allow_data_loss: bool,
        on_progress: OnProgress | None = None,
    ) -> Revision:
        """Take back the step that was applied last, and return it.

        Raises:
            DataLossError: that destroys data, and may not.
            MigrationError: there is none, or the database has seen other steps than these.
            DatabaseError: the database refused; it is as it was.

        """
        with self._alone() as connection:
            history = read_history(connection)
            pending_of(revisions, history)
            if not history:
                raise MigrationError("no step was applied to this database: nothing to roll back")
            step = revisions[len(history) - 1]
            name = f"rolling back {step.name}"
            tell = _teller(on_progress, Progress(done=0, steps=1, step=step.name))
            has_sealed = self._run(
                connection, name, step.downgrade, allow_data_loss=allow_data_loss, tell=tell
            )
            strike(connection, step.name)
        if has_sealed:
            wipe(self._engine)
        return step

    def _applied(self, step: Revision) -> Applied:
        return Applied(step.name, step.checksum, step.description, self._clock.now())

    def _run(
        self,
        connection: Connection,
        name: str,
        change: Callable[[], None],
        *,
        allow_data_loss: bool,
        tell: Tell | None,
    ) -> bool:
        """Run a step, and tell whether it has sealed what was in plain text."""
        context = migration_context(connection)
        with (
            self._around(connection),
            watched_operations(connection, context, tell) as losses,
        ):
            change()
        if losses and not allow_data_loss:
            raise DataLossError(name, [str(loss) for loss in losses])
        _check_references(connection, name)
        return bool(context.opts.get(HAS_SEALED))

    @contextmanager
    def _alone(self) -> Generator[Connection]:
        """Give a connection inside a transaction that no other process migrates beside."""
        with (
            self._engine.connect() as connection,
            without_references(connection),
            overwriting(connection),
        ):
            alone(connection)
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
            yield connection
            connection.commit()


def _teller(on_progress: OnProgress | None, start: Progress) -> Tell | None:
    if on_progress is None:
        return None
    on_progress(start)
    return lambda doing, rows: on_progress(replace(start, doing=doing, rows=rows))


def pending_of(revisions: Sequence[Revision], history: Sequence[Applied]) -> tuple[Revision, ...]:
    """Return the steps that are not in the history.

    Raises:
        MigrationError: the history is not the beginning of these steps.

    """
    for position, seen in enumerate(history):
        if position >= len(revisions) or revisions[position].name != seen.revision:
            there = revisions[position].name if position < len(revisions) else "missing"
            raise MigrationError(
                f"the database has seen step {position + 1} as {seen.revision!r}, but in the "
                f"folder it is {there!r}: fetch the files that were applied"
            )
        if revisions[position].checksum != seen.checksum:
            raise MigrationError(
                f"{revisions[position].path} was changed after it was applied: "
                "restore it, and put the change into a new step"
            )
    return tuple(revisions[len(history) :])


def _check_references(connection: Connection, name: str) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        raise MissingReferenceError(
            f"{name} leaves {len(broken)} rows of {tables} that point to nothing"
        )
