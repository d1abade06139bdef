"""Exports and erases what is stored about a person."""

import contextlib
import logging
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, MetaData, Table

from timber.common.audit.service import AuditService
from timber.common.caching.service import CacheService
from timber.common.clock import Clock
from timber.common.database.service import DatabaseService
from timber.common.database.streaming import AsyncRowStream, RowStream
from timber.common.encryption.base import Keystore
from timber.common.encryption.keyring import Keyring
from timber.common.errors import ErasureError, NotOpenError, RecordNotFoundError
from timber.common.gdpr.certificate import Certificate, read_certificate
from timber.common.gdpr.erasing import OnProgress
from timber.common.gdpr.export_files import (
    Counting,
    OnProgress as OnRows,
    all_or_none,
    write_csv,
    write_json,
)
from timber.common.gdpr.exporting import BATCH, ExportedRow, OpenRow
from timber.common.gdpr.files import FileWiper
from timber.common.gdpr.plan import ErasurePlan
from timber.common.gdpr.replay import Replayed
from timber.common.gdpr.saga import Saga
from timber.common.gdpr.signing import Signer
from timber.common.gdpr.statuses import ErasureStatus, status_of
from timber.common.gdpr.subjects import Person, person_of
from timber.common.gdpr.tables import make_tables
from timber.common.gdpr.workings import Known, Workings, build
from timber.common.ids import IdFactory
from timber.common.modeling.ownership import Ownership
from timber.common.modeling.registry import ModelRegistry
from timber.common.vector.ingestion import VectorIngestionService

_log: Final = logging.getLogger(__name__)

Result = TypeVar("Result")


class GdprService:
    """Exports what is stored about a person, erases it, and proves that it did.

    A person is named by the key of its row: of `User`, or of another `model` that says
    `gdpr: {subject: true}`. Each method that waits for the database has a twin for the event
    loop, named `async_…`.
    """

    def __init__(  # noqa: PLR0913 - what it reaches, all by keyword
        self,
        *,
        database: DatabaseService,
        metadata: MetaData,
        models: ModelRegistry,
        ingestion: VectorIngestionService,
        cache: CacheService,
        audit: AuditService,
        keyring: Keyring,
        clock: Clock,
        new_id: IdFactory,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._metadata = metadata
        self._models = models
        self._ingestion = ingestion
        self._cache = cache
        self._audit = audit
        self._keyring = keyring
        self._saga = Saga(clock, new_id)
        self._clock = clock
        self._new_id = new_id
        self._sleep = sleep
        self._opened: Workings | None = None
        self._is_open = False
        self.replayed = Replayed(resumed=0, repeated=0)
        """What the opening of the Timber had to do; see `replay`."""

    def open(
        self,
        *,
        owned: Mapping[str, Ownership] | None,
        keystore: Keystore | None,
        open_row: OpenRow,
        create: bool,
    ) -> None:
        """Work with these tables and keys; without `owned`, no model says what is personal.

        Before anything can be read, `replay`: the data may be a backup from before an erasure.

        Raises:
            SchemaMismatchError: the tables for erasures are missing, and `create` is false.

        """
        self._is_open = True
        self.replayed = Replayed(resumed=0, repeated=0)
        if owned is None or keystore is None:
            return
        make_tables(self._database.engine, create=create)
        self._opened = build(
            Known(
                metadata=self._metadata,
                models=[self._models.get(name) for name in self._models.names()],
                sources=self._ingestion.row_sources.values(),
                owned=owned,
                dialect=self._database.engine.dialect.name,
            ),
            transact=self._transact,
            keystore=keystore,
            forget_keys=self._forget_keys,
            saga=self._saga,
            open_row=open_row,
            forget=self._forget,
            unname=self._unname,
            files=FileWiper(lambda: self._database.engine, self._transact),
            clock=self._clock,
            new_id=self._new_id,
            sleep=self._sleep,
        )
        self.replayed = self.replay()
        if self.replayed.repeated:
            _log.warning(
                "%d persons who were erased were in the data, as in a backup from before: "
                "they were erased again",
                self.replayed.repeated,
            )

    def close(self) -> None:
        """Let go of tables and keys."""
        self._opened = None
        self._is_open = False

    # ------------------------------------------------------------------ export

    def export(self, subject: Any, *, model: str = "User") -> RowStream[ExportedRow]:
        """Return everything that is stored about a person, row by row, in bounded memory.

        All of it as it is at one moment, soft-deleted rows too, and encrypted values opened:
        the person's row and all that lead to it, the texts made of them and documents that the
        person owns, and the histories of sessions.

        Raises:
            RecordNotFoundError: there is no such person.
            ErasureError: the person is being erased, or no model enables `gdpr`.

        """
        return RowStream(self._rows(subject, model))

    def async_export(self, subject: Any, *, model: str = "User") -> AsyncRowStream[ExportedRow]:
        """Do as `export`, for `async for`."""
        rows = self._rows(subject, model)
        return AsyncRowStream(rows, batch=BATCH, in_thread=self._database.call)

    def export_json(
        self,
        subject: Any,
        target: Path,
        *,
        model: str = "User",
        on_progress: OnRows | None = None,
    ) -> int:
        """Write what `export` gives to a file, as one JSON document; return how many rows.

        Raises what that raises; then there is no file.
        """
        with self._written(subject, model, on_progress) as (rows, on_row, head):
            target.parent.mkdir(parents=True, exist_ok=True)
            with all_or_none(target) as partly, partly.open("w", encoding="utf-8") as file:
                write_json(rows, file, head=head, on_row=on_row)
            return on_row.count

    def export_csv(
        self,
        subject: Any,
        target: Path,
        *,
        model: str = "User",
        on_progress: OnRows | None = None,
    ) -> int:
        """Write what `export` gives to CSV files, one for each model; return how many rows.

        The target is a folder that is empty or made, or an archive if its name ends in `.zip`.
        Raises what `export` raises.
        """
        with self._written(subject, model, on_progress) as (rows, on_row, _):
            if target.suffix == ".zip":
                target.parent.mkdir(parents=True, exist_ok=True)
                with all_or_none(target) as partly:
                    write_csv(rows, partly, on_row=on_row)
            else:
                write_csv(rows, target, on_row=on_row)
            return on_row.count

    async def async_export_json(self, subject: Any, target: Path, *, model: str = "User") -> int:
        """Do as `export_json`, off the event loop."""
        return await self._database.call(self.export_json, subject, target, model=model)

    async def async_export_csv(self, subject: Any, target: Path, *, model: str = "User") -> int:
        """Do as `export_csv`, off the event loop."""
        return await self._database.call(self.export_csv, subject, target, model=model)

    # ------------------------------------------------------------------ erasure

    def erase(
        self, subject: Any, *, model: str = "User", on_progress: OnProgress | None = None
    ) -> Certificate:
        """Erase what is stored about a person, and return the certificate.

        Its keys first, so that at once nobody reads what was sealed with them; then the rows.
        Broken off at any point, the next call goes on, and so does the next opening of a Timber.
        Of who was erased before, it returns the certificate of then.

        Raises:
            RecordNotFoundError: nothing is stored about such a person, and nothing was erased.
            ErasureError: no model enables `gdpr`.
            KeystoreError: keys cannot be destroyed; nothing was done.
            SharedCacheUnavailableError: other processes may still be told the old; call again.
            DatabaseError: the database refused something; call again.

        """
        opened, person = self._find(subject, model)
        tombstone = opened.tombstone(person)
        under_way = self._transact(
            lambda connection: [
                one for one in self._saga.unfinished(connection) if one.tombstone == tombstone
            ]
        )
        planned = opened.plan(person)
        if not under_way and not (planned.rows or planned.texts):
            known = self._transact(lambda connection: self._saga.latest(connection, tombstone))
            if known is None:
                raise RecordNotFoundError(model, subject)
            return read_certificate(known.certificate or "")
        return opened.eraser.erase(person, tombstone, on_progress=on_progress)

    async def async_erase(self, subject: Any, *, model: str = "User") -> Certificate:
        """Do as `erase`, off the event loop."""
        return await self._database.call(lambda: self.erase(subject, model=model))

    def plan(self, subject: Any, *, model: str = "User") -> ErasurePlan:
        """Return what `erase` would do now; nothing is changed.

        Raises:
            ErasureError: no model enables `gdpr`, or rows of this one are no persons.

        """
        opened, person = self._find(subject, model)
        return opened.plan(person)

    async def async_plan(self, subject: Any, *, model: str = "User") -> ErasurePlan:
        """Do as `plan`, off the event loop."""
        return await self._database.call(lambda: self.plan(subject, model=model))

    def status(self) -> list[ErasureStatus]:
        """Tell of every erasure in this database how far it is, the first one first."""
        self._require()
        return [status_of(one) for one in self._transact(self._saga.all)]

    def replay(self, *, everything: bool = False) -> Replayed:
        """Finish what was broken off, and erase again who is in the data though erased before.

        Opening does this before anything can be read, and it costs next to nothing as long as the
        database knows all erasures of the keystore. With `everything`, also those are looked for
        that it knows, as after single tables were restored.

        An erasure that the rules of the tables forbid stays unfinished, and the log says why: it
        keeps nobody else from working.
        """
        return self._require().replayer.replay(everything=everything)

    async def async_replay(self, *, everything: bool = False) -> Replayed:
        """Do as `replay`, off the event loop."""
        return await self._database.call(lambda: self.replay(everything=everything))

    def verify(self, certificate: str) -> Certificate:
        """Return the certificate that a text is, if it is one of this keystore, unchanged.

        Raises:
            ErasureError: it was changed, or another keystore signed it.

        """
        found = read_certificate(certificate)
        own = Signer(self._require().keystore.secret("certificate")).public_key
        if found.public_key != own:
            raise ErasureError(
                f"the certificate {found.erasure_id} was signed by another keystore: "
                "open with that one, or compare its public key with the one that you were given"
            )
        return found

    # ------------------------------------------------------------------ the parts

    def _require(self) -> Workings:
        if not self._is_open:
            raise NotOpenError
        if self._opened is None:
            raise ErasureError(
                "no model enables `gdpr`, so nothing says what is personal: "
                "say `gdpr: {enabled: true}` in the models whose rows are about persons"
            )
        return self._opened

    def _find(self, subject: Any, model: str) -> tuple[Workings, Person]:
        opened = self._require()
        table: Table = self._models.get(model).__table__
        owner = opened.schema.belonging.owned.get(table.key)
        if owner is None or not any(not way.steps for way in owner.ways):
            raise ErasureError(
                f"the rows of {model} are no persons: name another `model`, "
                "or say `gdpr: {enabled: true, subject: true}` there"
            )
        return opened, person_of(table, subject)

    def _rows(self, subject: Any, model: str) -> Generator[ExportedRow]:
        opened, person = self._find(subject, model)
        self._demand(opened, person, model)
        return opened.exporting.rows(self._database.session(), person)

    def _demand(self, opened: Workings, person: Person, model: str) -> None:
        """Raise an error unless there is something to export of the person."""
        tombstone = opened.tombstone(person)
        for one in self._transact(self._saga.unfinished):
            if one.tombstone == tombstone:
                raise ErasureError("the person is being erased, so there is nothing to export")
        if not self._transact(lambda connection: opened.exporting.count(connection, person)):
            raise RecordNotFoundError(model, person.key)

    @contextlib.contextmanager
    def _written(
        self, subject: Any, model: str, on_progress: OnRows | None
    ) -> Generator[tuple[RowStream[ExportedRow], "Counting", Mapping[str, Any]]]:
        opened, person = self._find(subject, model)
        total = 0
        if on_progress is not None:
            total = self._transact(lambda connection: opened.exporting.count(connection, person))
        head = {
            "subject": {"model": model, "key": str(person.key)},
            "exported_at": self._clock.now().isoformat(),
        }
        with self.export(subject, model=model) as rows:
            yield rows, Counting(on_progress, total), head

    def _transact(self, work: Callable[[Connection], Result]) -> Result:
        # Whoever looks again for what was written meanwhile is to see it.
        return self._database.run_sync(
            lambda session: work(session.connection()), isolation="READ COMMITTED"
        )

    def _forget_keys(self) -> None:
        if self._keyring.is_open:
            self._keyring.refresh()

    def _unname(self, subject: str) -> None:
        if self._audit.is_open:
            self._audit.forget(subject)

    def _forget(self, tables: frozenset[str]) -> None:
        """Have the caches of these tables forget everything, here and in Redis."""
        cached = {one.name for one in self._cache.status().models if one.table in tables}
        for name in sorted(cached):
            self._cache.forget(self._models.get(name))
