"""A keystore that keeps nothing: for tests of what is sealed, not of how keys are kept."""

import hashlib
import hmac
import itertools
import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping

from timber.common.encryption.base import (
    KEY_BYTES,
    KEY_ID_BYTES,
    DataKey,
    Erasure,
    IndexKey,
    Purpose,
)
from timber.common.errors import SubjectErasedError, UnknownKeyError


class FakeKeystore:
    """Keys in a dictionary; `random_bytes` makes them, so that a test can foresee them."""

    def __init__(self, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._random_bytes = random_bytes
        self._newest: dict[str, DataKey] = {}
        self._keys: dict[tuple[bytes, int], DataKey] = {}
        self._erased: dict[bytes, str] = {}
        self._destroyed: dict[bytes, int] = {}
        self._erased_at: dict[bytes, int] = {}
        self._secrets: dict[str, bytes] = {}
        self._index_keys: tuple[IndexKey, ...] = ()
        self._generations = itertools.count(1)
        self._generation = 0
        self._lock = threading.RLock()
        self.asked = 0
        """How often it was asked for keys to seal with."""

    def forget(self) -> None:
        """Be as new, to whoever asks for the generation."""
        with self._lock:
            self._newest.clear()
            self._keys.clear()
            self._erased.clear()
            self._destroyed.clear()
            self._erased_at.clear()
            self._secrets.clear()
            self._index_keys = ()
            self._generation = next(self._generations)

    def generation(self) -> int:
        return self._generation

    def data_keys_for(self, subjects: Collection[str]) -> Mapping[str, DataKey]:
        with self._lock:
            self.asked += 1
            if any(self.tombstone_of(one) in self._erased for one in subjects):
                raise SubjectErasedError("the subject was erased")
            return {one: self._newest.get(one) or self._made(one) for one in subjects}

    def data_key(self, key_id: bytes, version: int) -> DataKey:
        found = self._keys.get((key_id, version))
        if found is not None:
            return found
        if key_id in self._erased:
            raise SubjectErasedError("the subject was erased")
        raise UnknownKeyError("the keystore does not have the key")

    def renew_data_key(self, subject: str) -> DataKey:
        with self._lock:
            if self.tombstone_of(subject) in self._erased:
                raise SubjectErasedError("the subject was erased")
            return self._made(subject)

    def index_keys(self) -> tuple[IndexKey, ...]:
        with self._lock:
            if not self._index_keys:
                self.renew_index_key()
            return self._index_keys

    def renew_index_key(self) -> None:
        """Put a new root of the indexes before the others."""
        with self._lock:
            new = IndexKey(version=len(self._index_keys) + 1, secret=self._random_bytes(KEY_BYTES))
            self._index_keys = (new, *self._index_keys)
            self._generation = next(self._generations)

    def subject_secret(self, subject: str) -> bytes:
        if self.tombstone_of(subject) in self._erased:
            raise SubjectErasedError("the subject was erased")
        return self._secret(f"subject {subject}")

    def subject_secrets(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        living = [one for one in subjects if self.tombstone_of(one) not in self._erased]
        return {one: self._secret(f"subject {one}") for one in living}

    def secret(self, purpose: Purpose) -> bytes:
        return self._secret(f"purpose {purpose}")

    def erase(self, subject: str, *, after: int = 0) -> Erasure:
        with self._lock:
            gone = [place for place, key in self._keys.items() if key.subject == subject]
            for place in gone:
                del self._keys[place]
                self._erased[place[0]] = subject
            self._newest.pop(subject, None)
            self._secrets.pop(f"subject {subject}", None)
            tombstone = self.tombstone_of(subject)
            self._erased[tombstone] = subject
            self._destroyed[tombstone] = self._destroyed.get(tombstone, 0) + len(gone)
            self._generation = next(self._generations)
            if self._erased_at.get(tombstone, 0) <= after:
                self._erased_at[tombstone] = after + 1
            return self._erasure(tombstone)

    def tombstone_of(self, subject: str) -> bytes:
        return hmac.digest(self.secret("tombstone"), subject.encode(), hashlib.sha256)

    def erasures(self) -> Iterator[Erasure]:
        yield from map(self._erasure, self._erased_at)

    def _erasure(self, tombstone: bytes) -> Erasure:
        return Erasure(
            keys=self._destroyed[tombstone],
            tombstone=tombstone,
            erased_at=self._erased_at[tombstone],
        )

    def _secret(self, name: str) -> bytes:
        with self._lock:
            return self._secrets.setdefault(name, self._random_bytes(KEY_BYTES))

    def _made(self, subject: str) -> DataKey:
        before = self._newest.get(subject)
        key = DataKey(
            key_id=before.key_id if before else self._random_bytes(KEY_ID_BYTES),
            version=before.version + 1 if before else 1,
            subject=subject,
            secret=self._random_bytes(KEY_BYTES),
        )
        self._newest[subject] = self._keys[key.key_id, key.version] = key
        self._generation = next(self._generations)
        return key
