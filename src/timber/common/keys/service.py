"""The keys of one Timber: opened when somebody needs them first."""

import contextlib
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from timber.common.clock import Clock, SteadyClock, SystemClock
from timber.common.database.service import DatabaseService
from timber.common.encryption.base import Keystore
from timber.common.encryption.keyring import Keyring
from timber.common.errors import ConfigurationError, NotOpenError
from timber.common.keys.bond import DatabaseBond
from timber.common.keys.epochs import prepare
from timber.common.keys.opening import OpenKeys, opened_keys
from timber.common.keys.places import key_places
from timber.common.settings import TimberSettings, user_data_folder


class KeyService:
    """Where a Timber gets its keys from.

    Opening the Timber only says where they are; they are opened, and in development made,
    when they are needed first: by a model with sealed columns at once, by others later.
    """

    def __init__(
        self,
        *,
        database: DatabaseService,
        clock: Clock,
        keyring: Keyring,
        given: Keystore | None = None,
    ) -> None:
        self.keyring: Final = keyring
        """The keys as they are used; it works after `need` or `store`."""
        self._given = given
        self._database = database
        self._clock = clock
        self._settings: TimberSettings | None = None
        self._user_data = Path()
        self._open: OpenKeys | None = None
        self._resources = contextlib.ExitStack()
        self._lock = threading.Lock()

    def open(self, settings: TimberSettings) -> None:
        """Remember where the keys are, without looking."""
        self._settings = settings
        self._user_data = user_data_folder()

    def close(self) -> None:
        """Forget all keys, and let go of the keystore."""
        with self._lock:
            self._settings = None
            self._open = None
            self.keyring.close()
            self._resources.close()

    @property
    def bound_seconds(self) -> float:
        """How long a process may go on with what it knew before a change."""
        if self._settings is None:
            raise NotOpenError
        return self._settings.key_bound_seconds

    @property
    def store(self) -> Keystore:
        """The keystore, opened at the first call; raises as `need`."""
        if self._given is None:
            return self.need().store
        with self._lock:
            if self._settings is None:
                raise NotOpenError
            if not self.keyring.is_open:
                self.keyring.open(self._given, bound_seconds=self._settings.key_bound_seconds)
        return self._given

    def opened_keyring(self) -> Keyring:
        """Return the keys as they are used, opened at the first call; raises as `need`."""
        _ = self.store
        return self.keyring

    def need(self, *, may_create: bool | None = None) -> OpenKeys:
        """Return the keys, opened at the first call.

        `may_create` says whether they are made where there are none; when left out, they are
        in development.

        Raises:
            NotOpenError: the Timber is not open.
            FeatureUnavailableError: the extra `encryption` is not installed.
            ConfigurationError: a setting cannot be used.
            MasterKeyError: the master key is missing, or another one.
            KeystoreError: the keystore is missing, broken, or that of other data.

        """
        if self._given is not None:
            raise ConfigurationError(
                "this Timber was given a keystore of its own kind: renew its keys where it is kept"
            )
        with self._lock:
            if self._settings is None:
                raise NotOpenError
            if self._open is None:
                self._open = self._opened(self._settings, may_create=may_create)
            return self._open

    def _opened(self, settings: TimberSettings, *, may_create: bool | None) -> OpenKeys:
        on_purpose = bool(may_create)
        engine, may_prepare = self._database.engine, settings.create_tables or on_purpose
        bond = DatabaseBond(engine, may_create=may_prepare)
        if may_create is None:
            may_create = settings.environment == "development"
        with contextlib.ExitStack() as stack:
            keys = stack.enter_context(
                opened_keys(
                    key_places(settings, user_data=self._user_data),
                    bond=bond,
                    clock=self._clock,
                    may_create=may_create,
                )
            )
            prepare(engine, may_create=may_prepare)
            bound = settings.key_bound_seconds
            self.keyring.open(keys.store, bound_seconds=bound, is_leased=True)
            self._resources = stack.pop_all()
        return keys


@dataclass(frozen=True, kw_only=True)
class MadeKeys:
    """Where keys are."""

    keystore: str
    keystore_id: str
    master_key: str
    is_new: bool
    """Whether they were made just now."""


def make_keys(settings: TimberSettings) -> MadeKeys:
    """Make the keys of these settings where there are none, in production, too.

    Raises:
        FeatureUnavailableError: the extra `encryption` is not installed.
        ConfigurationError: a setting cannot be used.
        MasterKeyError: the master key cannot be used, or is another one.
        KeystoreError: there are other keys that belong to the data.
        DatabaseError: the database cannot be reached.

    """
    clock = SteadyClock(SystemClock())
    database = DatabaseService(clock=clock)
    service = KeyService(database=database, clock=clock, keyring=Keyring(ticks=time.monotonic))
    with contextlib.ExitStack() as undo:
        undo.callback(database.close)
        database.open(settings.database_url, settings.connection_options)
        undo.callback(service.close)
        service.open(settings)
        keys = service.need(may_create=True)
        return MadeKeys(
            keystore=keys.where,
            keystore_id=keys.store_id.hex(),
            master_key=keys.masters.where,
            is_new=keys.is_new,
        )
