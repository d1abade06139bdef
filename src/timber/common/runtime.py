"""Timber: a database, its models, and the services over them, as one thing to open and close."""

import contextlib
import logging
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, Final, Self

from sqlalchemy import Connection, Dialect
from sqlalchemy.orm import DeclarativeBase

from timber.common.audit.audited import audited_tables
from timber.common.audit.service import AuditService
from timber.common.caching.service import CacheService
from timber.common.clock import Clock, SteadyClock, SystemClock
from timber.common.database.attachments import Attachment, attachments_of
from timber.common.database.fitness import check_database
from timber.common.database.schema import check_tables, create_tables
from timber.common.database.service import DatabaseService
from timber.common.database.sqlite_references import drop_in_any_order
from timber.common.encryption.attributes import open_attributes
from timber.common.encryption.base import Keystore
from timber.common.encryption.keyring import Keyring
from timber.common.encryption.sealing import Sealer
from timber.common.errors import AlreadyOpenError, ConfigurationError
from timber.common.garbage import no_search
from timber.common.gdpr.service import GdprService
from timber.common.ids import IdFactory, OrderedUuids, random_uuid
from timber.common.keys.renewal import KeyRenewal
from timber.common.keys.service import KeyService
from timber.common.modeling.base import new_base
from timber.common.modeling.catalogue import Catalogue
from timber.common.modeling.checks import check
from timber.common.modeling.columns import ColumnBuilder
from timber.common.modeling.factory import ModelFactory
from timber.common.modeling.history import forget_with_rows
from timber.common.modeling.ownership import ownership_of
from timber.common.modeling.reader import model_files, packaged_directories, read_model_files
from timber.common.modeling.registry import ModelRegistry
from timber.common.persistence.idempotency import Idempotency
from timber.common.persistence.listener import Listener
from timber.common.persistence.manager import PersistenceManager
from timber.common.persistence.notifications import NotificationService
from timber.common.persistence.sessions import SessionService
from timber.common.persistence.signals import Signals
from timber.common.persistence.tracker import TrackerService
from timber.common.retention.rules import retention_rules
from timber.common.retention.service import RetentionService
from timber.common.settings import Config, TimberSettings
from timber.common.vector.embedders.choosing import create_embedder
from timber.common.vector.embedders.openai_compatible import OpenAICompatible
from timber.common.vector.ingestion import VectorIngestionService
from timber.common.vector.row_triggers import after_removal
from timber.common.vector.rows import RowSource, row_sources
from timber.common.vector.sealed_pieces import PieceSeals
from timber.common.vector.search import VectorSearchService
from timber.common.vector.storage import attach_storage
from timber.common.vector.tables import prepare
from timber.common.vector.unheard import unheard
from timber.common.vector.worker import IngestionWorker

_log: Final = logging.getLogger(__name__)
_BACKENDS: Final = frozenset(
    {"audit", "caching", "encryption", "gdpr", "retention", "vector_search"}
)
"""The flags of models that have a working backend."""


class Timber:
    """One persistence runtime. Building it does nothing; opening it does everything.

    Any number can live in one process, each with a database and models of its own.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        new_id: IdFactory = random_uuid,
        keystore: Keystore | None = None,
    ) -> None:
        steady = SteadyClock(clock or SystemClock())
        self.base: type[DeclarativeBase] = new_base()
        drop_in_any_order(self.base.metadata)
        self._row_sources: Mapping[str, RowSource] = {}
        self._attach()
        self.config = Config()
        self.models = ModelRegistry()
        self.database = DatabaseService(clock=steady)
        self.cache = CacheService()
        ordered = OrderedUuids(clock=steady)
        keyring = Keyring(ticks=time.monotonic)
        self.keys = KeyService(
            database=self.database, clock=steady, keyring=keyring, given=keystore
        )
        self.sealer = Sealer(keyring=keyring)
        self._piece_seals = PieceSeals(self.sealer)
        self.key_renewal = KeyRenewal(
            keys=self.keys,
            database=self.database,
            metadata=self.base.metadata,
            sealer=self.sealer,
            unheard=self._unheard,
        )
        self._columns = ColumnBuilder(clock=steady, new_id=new_id, new_ordered_id=ordered)
        self._idempotency = Idempotency(models=self.models, clock=steady)
        signals = Signals()
        self._listener = Listener(engine=lambda: self.database.engine, signals=signals)
        common: dict[str, Any] = {
            "transact": self.database.run_sync,
            "read": self.database.get,
            "models": self.models,
            "clock": steady,
            "idempotency": self._idempotency,
        }
        self.persistence = PersistenceManager(
            database=self.database,
            idempotency=self._idempotency,
            sessions=SessionService(**common),
            notifications=NotificationService(
                **common, signals=signals, listener=self._listener, database=self.database
            ),
            tracker=TrackerService(**common, database=self.database, new_id=ordered),
        )
        self.vector_ingestion = VectorIngestionService(
            database=self.database,
            metadata=self.base.metadata,
            clock=steady,
            new_id=new_id,
            seals=self._piece_seals,
        )
        self.vector_search = VectorSearchService(
            database=self.database,
            metadata=self.base.metadata,
            clock=steady,
            new_id=new_id,
            ingestion=self.vector_ingestion,
            seals=self._piece_seals,
        )
        self.audit = AuditService(
            database=self.database, metadata=self.base.metadata, clock=steady
        )
        self.gdpr = GdprService(
            database=self.database,
            metadata=self.base.metadata,
            models=self.models,
            ingestion=self.vector_ingestion,
            cache=self.cache,
            audit=self.audit,
            keyring=keyring,
            clock=steady,
            new_id=new_id,
        )
        self.retention = RetentionService(
            database=self.database,
            metadata=self.base.metadata,
            audit=self.audit,
            clock=steady,
            new_id=ordered,
        )
        self._worker = IngestionWorker(work=self.vector_ingestion.process_some)
        self._settings: TimberSettings | None = None
        self._opened = contextlib.ExitStack()
        self._lock = threading.Lock()

    def _attach(self) -> None:
        """Let the tables have what SQLAlchemy's metadata cannot hold."""
        attached = attachments_of(self.base.metadata)
        attach_storage(attached)
        attached.wanted.append(self._row_triggers)
        attached.after_removal.append(after_removal)

    @property
    def is_open(self) -> bool:
        return self._settings is not None

    def open(self, settings: TimberSettings) -> None:
        """Load the models, connect the database and create the tables: all of it, or nothing.

        Opening again with equal settings does nothing.

        Raises:
            AlreadyOpenError: it is open with other settings.
            ConfigurationError: a setting cannot be used.
            KeystoreError: a model is encrypted, and its keys are missing, or those of other data.
            ModelFileError: model files are broken; holds every problem.
            DatabaseError: the tables cannot be created.

        """
        with self._lock:
            if self._settings == settings:
                return
            if self._settings is not None:
                raise AlreadyOpenError
            with contextlib.ExitStack() as undo:
                self._open(settings, undo)
                self._opened = undo.pop_all()

    def close(self) -> None:
        """Close the database and forget the models; closing again does nothing."""
        with self._lock:
            self._opened.close()

    @contextlib.contextmanager
    def opened(self, settings: TimberSettings) -> Generator[Self]:
        """Open for the length of a block."""
        self.open(settings)
        try:
            yield self
        finally:
            self.close()

    @contextlib.contextmanager
    def mapped(self, settings: TimberSettings) -> Generator[Self]:
        """Map the models for the length of a block, without a database.

        Raises:
            AlreadyOpenError: it is open.
            ConfigurationError: a folder of models is not there.
            ModelFileError: model files are broken; holds every problem.

        """
        if self.is_open:
            raise AlreadyOpenError
        with contextlib.ExitStack() as undo:
            models = self._load_models(settings)
            undo.callback(models.dispose)
            undo.callback(self.models.close)
            self.models.open(models.classes, notes=models.catalogue.notes)
            yield self

    def _open(self, settings: TimberSettings, undo: contextlib.ExitStack) -> None:
        models = self._load_models(settings)
        undo.callback(models.dispose)
        for note in models.catalogue.notes:
            _log.warning("%s", note)
        self._refuse_unsealed(settings)
        asking = _enabling_gdpr(models.catalogue)
        if asking is not None and not settings.enable_gdpr:
            raise ConfigurationError(
                f"enable_gdpr is off, and {asking} enables `gdpr`, which would then do nothing: "
                "leave it on, or set `enabled: false` in the model"
            )
        undo.callback(self.database.close)
        undo.callback(self._listener.close)
        options = replace(settings.connection_options, overwrite_deleted=asking is not None)
        self.database.open(settings.database_url, options)
        undo.callback(self.keys.close)
        self.keys.open(settings)
        self._idempotency.open(settings.idempotency_seconds)
        check_database(models.catalogue, self.database.engine, create=settings.create_tables)
        self._open_keys(settings)
        if settings.create_tables:
            create_tables(self.database.engine, self.base.metadata)
        undo.callback(self.models.close)
        self.models.open(models.classes, notes=models.catalogue.notes)
        undo.callback(self.cache.close)
        cache = self.cache.open(
            models=models.classes.values(),
            metadata=self.base.metadata,
            engine=self.database.engine,
            redis_url=settings.redis_url,
            size=settings.cache_rows,
            bound_seconds=settings.cache_bound_seconds,
        )
        self.database.read_through(cache if settings.enable_caching else None)
        self._open_audit(settings, models, undo)
        self._open_vectors(settings, undo)
        self._open_gdpr(settings, models.catalogue, undo)
        self._start_worker(settings, undo)
        undo.callback(self._follow, None)
        self._follow(settings)

    def _open_keys(self, settings: TimberSettings) -> None:
        if not self.sealer.tables:
            return
        if settings.create_tables:  # no keys are made for a database that is refused
            check_tables(self.database.engine, self.base.metadata)
        _ = self.keys.store

    def _refuse_unsealed(self, settings: TimberSettings) -> None:
        if self.sealer.tables and not settings.enable_encryption:
            named = ", ".join(sorted(self.sealer.tables))
            raise ConfigurationError(
                f"enable_encryption is off, and columns of {named} are encrypted: turn it on"
            )

    def _open_vectors(self, settings: TimberSettings, undo: contextlib.ExitStack) -> None:
        ingestion, embedder = self.vector_ingestion, create_embedder(settings)
        if isinstance(embedder, OpenAICompatible):
            undo.callback(embedder.close)
        undo.callback(ingestion.close)
        ingestion.open(rows=self._row_sources, embedder=embedder, complete=settings.create_tables)
        undo.callback(self.vector_search.close)
        self.vector_search.open(
            embedder=embedder,
            memory_bytes=settings.vector_cache_bytes,
            graph_from=settings.vector_graph_from,
        )

    def _open_gdpr(
        self, settings: TimberSettings, catalogue: Catalogue, undo: contextlib.ExitStack
    ) -> None:
        is_asked = _enabling_gdpr(catalogue) is not None
        undo.callback(self.gdpr.close)
        self.gdpr.open(
            owned=ownership_of(catalogue) if is_asked else None,
            keystore=self.keys.store if is_asked else None,
            open_row=self.sealer.open_row,
            create=settings.create_tables,
        )

    def _start_worker(self, settings: TimberSettings, undo: contextlib.ExitStack) -> None:
        if settings.enable_auto_vector_ingestion and self.vector_ingestion.follows_rows:
            undo.callback(self._worker.stop)
            self._worker.start(self.database.engine)

    def _open_audit(
        self, settings: TimberSettings, models: ModelFactory, undo: contextlib.ExitStack
    ) -> None:
        tables = audited_tables(models.classes.values(), models.catalogue)
        rules = retention_rules(models.classes.values(), models.catalogue)
        undo.callback(self.retention.close)
        self.retention.open(rules=rules, complete=settings.create_tables)
        if not (tables or rules):
            return
        undo.callback(self.audit.close)
        self.audit.open(
            tables=tables,
            models={model.__table__.name: model for model in models.classes.values()},
            keystore=lambda: self.keys.store,
            default_actor=settings.application_name,
            complete=settings.create_tables,
            key_bound_seconds=settings.key_bound_seconds,
        )

    def _load_models(self, settings: TimberSettings) -> ModelFactory:
        packaged = packaged_directories(entry_points=settings.packaged_models)
        files = model_files((*packaged, *settings.model_config_dirs))
        with no_search():
            catalogue = Catalogue(read_model_files(files))
            check(catalogue, backends=_BACKENDS)
            factory = ModelFactory(base=self.base, columns=self._columns, seals=self.sealer)
            factory.build(catalogue)
        self._piece_seals.prepare(self.base.metadata)
        self.sealer.know(self.base.metadata.tables.values())
        for model in factory.classes.values():
            open_attributes(model, self.sealer)
            forget_with_rows(model)
        prepare(self.base.metadata)
        self._row_sources = row_sources(factory.classes.values())
        return factory

    def _row_triggers(self, dialect: Dialect) -> list[Attachment]:
        return [one.watched.attachment(dialect) for one in self._row_sources.values()]

    def _unheard(self, connection: Connection) -> contextlib.AbstractContextManager[None]:
        are_sealed = any(one.watched.is_sealed for one in self._row_sources.values())
        return unheard(connection) if are_sealed else contextlib.nullcontext()

    def _follow(self, settings: TimberSettings | None) -> None:
        self._settings = settings
        self.config.follow(settings)


def _enabling_gdpr(catalogue: Catalogue) -> str | None:
    """Return a model that enables `gdpr`; None if none does."""
    return next(
        (
            name
            for name, table in catalogue.models.items()
            if table.model and table.model.gdpr and table.model.gdpr.enabled
        ),
        None,
    )


default_timber: Final = Timber()
"""The process-wide Timber behind the doors. Libraries build their own."""
