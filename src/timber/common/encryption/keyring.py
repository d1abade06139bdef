"""The keys in use, as a process remembers them: ready to seal and to open."""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from cachebox import LRUCache

from timber.common.encryption.aead import Cipher, new_cipher, require_ciphers
from timber.common.encryption.base import DataKey, IndexKey, Keystore
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


class Keyring:
    """The keys of one Timber. Building it does nothing; it works while it is open.

    What changes in the keystore is known here after `bound_seconds` at the latest.
    """

    def __init__(self, *, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._store: Keystore | None = None
        self._bound_seconds = 1.0
        self._checked = 0.0
        self._generation = 0
        self._current: LRUCache[str, ReadyKey] = LRUCache(MOST_KEYS)
        self._openers: LRUCache[bytes, ReadyKey] = LRUCache(MOST_KEYS)
        self._index_keys: tuple[IndexKey, ...] = ()
        self._lock = threading.Lock()

    def open(self, store: Keystore, *, bound_seconds: float = 1) -> None:
        """Begin to use the keys of a store.

        Raises:
            FeatureUnavailableError: the library of ciphers is not installed.
            KeystoreError: the store cannot be read.

        """
        require_ciphers()
        self._bound_seconds = bound_seconds
        self._generation = store.generation()
        self._checked = self._ticks()
        self._store = store

    def close(self) -> None:
        """Forget all keys."""
        self._store = None
        self._forget()

    def current(self, subject: str) -> ReadyKey:
        """Return the key that seals what is new about a subject.

        Raises:
            NotOpenError: the keyring is not open.
            SubjectErasedError: the subject was erased.
            KeystoreError: the store cannot be read.

        """
        self._revalidate()
        found = self._current.get(subject)
        return found or self.current_for((subject,))[subject]

    def current_for(self, subjects: Collection[str]) -> Mapping[str, ReadyKey]:
        """Return the keys that seal what is new about subjects: asks the store once at most.

        Raises:
            NotOpenError: the keyring is not open.
            SubjectErasedError: one of the subjects was erased.
            KeystoreError: the store cannot be read.

        """
        store = self._revalidate()
        found = {one: key for one in subjects if (key := self._current.get(one)) is not None}
        missing = [one for one in subjects if one not in found]
        if missing:
            for subject, key in store.data_keys_for(missing).items():
                found[subject] = self._current[subject] = self._ready(key)
        return found

    def opener(self, key_id: bytes, version: int) -> ReadyKey:
        """Return the key that a sealed value names.

        Raises:
            NotOpenError: the keyring is not open.
            SubjectErasedError: the key was destroyed.
            UnknownKeyError: it is none of this store.
            KeystoreError: the store cannot be read.

        """
        store = self._revalidate()
        header = header_of(key_id, version)
        return self._openers.get(header) or self._ready(store.data_key(key_id, version))

    def index_keys(self) -> tuple[IndexKey, ...]:
        """Return the roots of the blind indexes, the one to write with first.

        Raises:
            NotOpenError: the keyring is not open.
            KeystoreError: the store cannot be read.

        """
        store = self._revalidate()
        if not self._index_keys:
            self._index_keys = store.index_keys()
        return self._index_keys

    def _ready(self, key: DataKey) -> ReadyKey:
        header = header_of(key.key_id, key.version)
        ready = ReadyKey(key.subject, header, new_cipher(key.secret))
        self._openers[header] = ready
        return ready

    def _revalidate(self) -> Keystore:
        store = self._store
        if store is None:
            raise NotOpenError
        now = self._ticks()
        if now - self._checked < self._bound_seconds:
            return store
        with self._lock:
            generation = store.generation()
            if generation != self._generation:
                self._forget()
                self._generation = generation
            self._checked = now
        return store

    def _forget(self) -> None:
        self._current.clear()
        self._openers.clear()
        self._index_keys = ()


def header_of(key_id: bytes, version: int) -> bytes:
    """Return what a value sealed with that key begins with."""
    return MAGIC + key_id + version.to_bytes(2, "big")
