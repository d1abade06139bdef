"""Plans, applies and takes back the steps between the models and one database."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData

from timber.common.clock import Clock
from timber.common.encryption.keyring import Keyring
from timber.common.errors import MigrationError
from timber.common.migrations.context import migration_context
from timber.common.migrations.difference import Difference, find_difference
from timber.common.migrations.history import Applied, read_history
from timber.common.migrations.lint import LintWarning, lint
from timber.common.migrations.losses import Loss, losses
from timber.common.migrations.preview import sql_of
from timber.common.migrations.progress import OnProgress
from timber.common.migrations.revisions import Revision, RevisionFolder
from timber.common.migrations.runner import Around, Runner, nothing_around, pending_of
from timber.common.migrations.sealed_definitions import KEYS_OPTION
from timber.common.migrations.summary import summary
from timber.common.migrations.writing import text_of_step


@dataclass(frozen=True)
class Plan:
    """A step that would bring a database to the models."""

    name: str
    changes: tuple[str, ...]
    """What it does, in words; nothing: the database and the models agree."""
    losses: tuple[Loss, ...]
    """What it would destroy in this database."""
    warnings: tuple[LintWarning, ...]
    sql: tuple[str, ...]
    text: str
    """The file of the step."""

    @property
    def is_empty(self) -> bool:
        return not self.changes


@dataclass(frozen=True)
class Status:
    """Where a database stands."""

    applied: tuple[Applied, ...]
    pending: tuple[Revision, ...]
    drift: tuple[str, ...]
    """What lies between the models and the database when nothing is pending."""

    @property
    def is_current(self) -> bool:
        return not self.pending and not self.drift


class Migrator:
    """The steps of one folder, for the models of one Timber and its database."""

    def __init__(
        self,
        *,
        engine: Engine,
        metadata: MetaData,
        folder: Path,
        clock: Clock,
        around: Around = nothing_around,
        keys: Callable[[], Keyring] | None = None,
    ) -> None:
        """Hold what is needed; `keys` gives those that steps seal and open with, when needed."""
        engine = engine.execution_options(**{KEYS_OPTION: keys})
        self._engine = engine
        self._metadata = metadata
        self._folder = RevisionFolder(folder)
        self._runner = Runner(engine=engine, clock=clock, around=around)

    def plan(self, description: str = "") -> Plan:
        """Return the step from the database to the models; nothing is changed.

        Raises:
            MigrationError: steps are pending, or no step leads to the models.

        """
        revisions = self._folder.read()
        with self._engine.connect() as connection:
            pending = pending_of(revisions, read_history(connection))
            if pending:
                raise MigrationError(
                    f"{_listed(pending)} not applied to this database yet, and the next step "
                    "begins where they end: run `timber migrate apply` first"
                )
            return self._plan(connection, revisions, description)

    def write(self, plan: Plan) -> Path:
        """Write the file of a planned step, and return where it is.

        Raises:
            MigrationError: it cannot be written.

        """
        return self._folder.write(plan.name, plan.text)

    def apply(
        self,
        *,
        allow_data_loss: bool = False,
        on_progress: OnProgress | None = None,
    ) -> tuple[Revision, ...]:
        """Apply every pending step, each in a transaction of its own, and return those applied.

        Others who do the same at the same time wait, and find nothing left to do.
        `on_progress` is told what is being done, for which rows are counted.

        Raises:
            DataLossError: a step destroys data, and may not; those before it are applied.
            MigrationError: the database has seen other steps than these.
            DatabaseError: the database refused a step; those before it are applied.

        """
        revisions = self._folder.read()
        applied = []
        while step := self._runner.apply_next(
            revisions, allow_data_loss=allow_data_loss, on_progress=on_progress
        ):
            applied.append(step)
        return tuple(applied)

    def adopt(self) -> tuple[Revision, ...]:
        """Note the pending steps as applied in a database that equals the models already.

        Raises:
            MigrationError: it does not equal them.

        """
        revisions = self._folder.read()
        return self._runner.adopt(revisions, check=lambda one: self._check_equal(one, revisions))

    def roll_back(
        self, *, allow_data_loss: bool = False, on_progress: OnProgress | None = None
    ) -> Revision:
        """Take back the step that was applied last, and return it.

        Raises:
            DataLossError: that destroys data, and may not.
            MigrationError: there is no step to take back.
            DatabaseError: the database refused; it is as it was.

        """
        return self._runner.roll_back(
            self._folder.read(), allow_data_loss=allow_data_loss, on_progress=on_progress
        )

    def status(self) -> Status:
        """Return which steps are applied and pending, and how the database differs if none is.

        Raises:
            MigrationError: the database has seen other steps than these.

        """
        revisions = self._folder.read()
        with self._engine.connect() as connection:
            history = read_history(connection)
            pending = pending_of(revisions, history)
            drift = () if pending else self._drift(connection, revisions)
            return Status(applied=history, pending=pending, drift=drift)

    # ------------------------------------------------------------------ the parts

    def _plan(
        self, connection: Connection, revisions: tuple[Revision, ...], description: str
    ) -> Plan:
        found = self._difference(connection, revisions)
        changes = summary(found.upgrade, connection.dialect)
        said = description or _described(changes)
        name = self._folder.next_name(revisions, said)
        text = text_of_step(
            migration_context(connection),
            revision=name,
            after=revisions[-1].name if revisions else None,
            description=said,
            summary=changes,
            tables=self._metadata.tables,
            upgrade=found.upgrade,
            downgrade=found.downgrade,
        )
        return Plan(
            name=name,
            changes=changes,
            losses=losses(connection, found.upgrade, found.renames),
            warnings=lint(found.upgrade, connection.dialect),
            sql=sql_of(connection, found.upgrade),
            text=text,
        )

    def _difference(self, connection: Connection, revisions: tuple[Revision, ...]) -> Difference:
        known = revisions[-1].tables if revisions else frozenset()
        return find_difference(connection, self._metadata, known=known)

    def _drift(self, connection: Connection, revisions: tuple[Revision, ...]) -> tuple[str, ...]:
        found = self._difference(connection, revisions)
        return summary(found.upgrade, connection.dialect)

    def _check_equal(self, connection: Connection, revisions: tuple[Revision, ...]) -> None:
        drift = self._drift(connection, revisions)
        if drift:
            raise MigrationError(
                "the database is not what the steps lead to, so they cannot be adopted; "
                f"it would have to: {'; '.join(drift)}"
            )


def _described(changes: tuple[str, ...]) -> str:
    if not changes:
        return "nothing"
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    return changes[0] + more


def _listed(steps: tuple[Revision, ...]) -> str:
    names = ", ".join(step.name for step in steps)
    return f"{names} {'is' if len(steps) == 1 else 'are'}"
