"""The keys in use, as a process remembers them: ready to seal and to open."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cachebox import LRUCache
from sqlalchemy import Connection

from timber.common.encryption.aead import Cipher, new_cipher, require_ciphers
from timber.common.encryption.base import DataKey, IndexKey, Keystore
from timber.common.encryption.leases import lease
from timber.common.errors import NotOpenError
from timber.common.modeling.sealed_tables import MAGIC

MOST_KEYS: Final = 10_000
"""How many keys a process remembers, of those to seal with and of those to open with."""


@dataclass(frozen=True, slots=True)
class ReadyKey:
    """A data key with its cipher."""

    subject: str
    header: bytes
    """What a value sealed with it begins with: the format, the key's id and its version."""
    cipher: Cipher = field(repr=False)


class _Known:
    """What is remembered of a store since it was changed last.

    What a thread learns it puts into the one that it began with: if the store was changed
    meanwhile, that is not looked into any more.
    """

    __slots__ = ("current", "generation", "index_keys", "openers")

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.current: LRUCache[str, ReadyKey] = LRUCache(MOST_KEYS)
        self.openers: LRUCache[bytes, ReadyKey] = LRUCache(MOST_KEYS)
        self.index_keys: tuple[IndexKey, ...] = ()

    def remember(self, key: DataKey) -> ReadyKey:
        """Return a key with its cipher, by which it opens from now on without the store."""
        header = header_of(key.key_id, key.version)
        ready = ReadyKey(key.subject, header, new_cipher(key.secret))
        self.openers[header] = ready
        return ready


class Keyring:
    """The keys of one Timber. Building it does nothing; it works while it is open.

    What changes in the keystore is known here after `bound_seconds` at the latest: a key that
    another process destroyed seals and opens nothing any more. A store that does not answer is
    no excuse: nothing is sealed or opened then. All methods can be called from many threads.
    """

    def __init__(self, *, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._store: Keystore | None = None
        self._bound_seconds = 1.0
        self._checked = 0.0
        self._known = _Known(0)
        self._is_leased = False
        self.epoch = 0
        """That of the data as of which the keys are known; 0 before anything was written."""
        self._lock = threading.Lock()

    def open(self, store: Keystore, *, bound_seconds: float = 1, is_leased: bool = False) -> None:
        """Begin to use the keys of a store.

        `is_leased` says that its keys are destroyed only after those who write with them were
        waited for, and that the database of the data has an epoch for that.

        Raises:
            FeatureUnavailableError: the library of ciphers is not installed.
            KeystoreError: the store cannot be read.

        """
        require_ciphers()
        self._bound_seconds = bound_seconds
        self._checked = self._ticks()
        self._known = _Known(store.generation())
        self._is_leased = is_leased
        self.epoch = 0
        self._store = store

    @property
    def is_open(self) -> bool:
        return self._store is not None

    def close(self) -> None:
        """Forget all keys."""
        self._store = None
        self._known = _Known(0)

    def refresh(self) -> None:
        """Ask the store for changes now, and not only when the bound is over.

        Raises:
            NotOpenError: the keyring is not open.
            KeystoreError: the store cannot be read.

        """
        if self._store is None:
            raise NotOpenError
        with self._lock:
            self._ask(self._store, self._ticks())

    def lease(self, connection: Connection) -> None:
        """Have the keys in use live until the connection's transaction ends.

        Raises:
            NotOpenError: the keyring is not open.
            PlaintextRefusedError: the connection commits each statement by itself.
            KeystoreError: the store cannot be read.

        """
        if self._is_leased:
            lease(connection, self)

    def current(self, subject: str) -> ReadyKey:
        """Return the key that seals what is new about a subject.

        Raises:
            NotOpenError: the keyring is not open.
            SubjectErasedError: the subject was erased.
            KeystoreError: the store cannot be read.

        """
        _, known = self._checked_store()
        found: ReadyKey | None = known.current.get(subject)
        return self.current_for((subject,))[subject] if found is None else found

    def current_for(self, subjects: Collection[str]) -> Mapping[str, ReadyKey]:
        """Return the keys that seal what is new about subjects: asks the store once at most.

        Raises:
            NotOpenError: the keyring is not open.
            SubjectErasedError: one of the subjects was erased.
            KeystoreError: the store cannot be read.

        """
        store, known = self._checked_store()
        found: dict[str, ReadyKey] = {}
        missing: list[str] = []
        for subject in subjects:
            key: ReadyKey | None = known.current.get(subject)
            if key is None:
                missing.append(subject)
            else:
                found[subject] = key
        if missing:
            for subject, made in store.data_keys_for(missing).items():
                found[subject] = known.current[subject] = known.remember(made)
        return found

    def opener(self, key_id: bytes, version: int) -> ReadyKey:
        """Return the key that a sealed value names.

        Raises:
            NotOpenError: the keyring is not open.
            SubjectErasedError: the key was destroyed.
            UnknownKeyError: it is none of this store.
            KeystoreError: the store cannot be read.

        """
        store, known = self._checked_store()
        header = header_of(key_id, version)
        found: ReadyKey | None = known.openers.get(header)
        return known.remember(store.data_key(key_id, version)) if found is None else found

    def learn(self, read: Callable[[], Iterable[DataKey]]) -> None:
        """Remember keys that somebody reads of the store at once: all versions of each.

        Raises:
            NotOpenError: the keyring is not open.
            KeystoreError: the store cannot be read.

        """
        _, known = self._checked_store()
        for key in sorted(read(), key=lambda key: key.version):
            known.current[key.subject] = known.remember(key)

    def index_keys(self) -> tuple[IndexKey, ...]:
        """Return the roots of the blind indexes, the one to write with first.

        Raises:
            NotOpenError: the keyring is not open.
            KeystoreError: the store cannot be read.

        """
        store, known = self._checked_store()
        if not known.index_keys:
            known.index_keys = store.index_keys()
        return known.index_keys

    def _checked_store(self) -> tuple[Keystore, _Known]:
        """Return the store, and what is known of it as it was within the bound."""
        store = self._store
        if store is None:
            raise NotOpenError
        if self._ticks() - self._checked >= self._bound_seconds:
            with self._lock:
                now = self._ticks()  # another thread may have asked while this one waited
                if now - self._checked >= self._bound_seconds:
                    self._ask(store, now)
        return store, self._known

    def _ask(self, store: Keystore, now: float) -> None:
        """Ask whether the store was changed; `now` is a moment before that."""
        generation = store.generation()
        if generation != self._known.generation:
            self._known = _Known(generation)
        self._checked = now


def header_of(key_id: bytes, version: int) -> bytes:
    """Return what a value sealed with that key begins with."""
    return MAGIC + key_id + version.to_bytes(2, "big")
