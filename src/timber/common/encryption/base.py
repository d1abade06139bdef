"""The port behind which keys are kept, and the names of whom and what they belong to."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

KEY_BYTES: Final = 32
"""The length of every secret key: AES-256, and HMAC-SHA-256 as strong."""
KEY_ID_BYTES: Final = 16

Purpose = Literal["audit", "certificate", "tombstone"]
"""What a key that belongs to no subject is for."""


def subject_of(table: str, key: object) -> str:
    """Return how the person, or thing, in that row of `table` is named to a keystore."""
    return f"{table}:{key}"


def subject_of_table(table: str) -> str:
    """Return whose key seals rows of `table` that are about nobody: the table's own."""
    return f"{table}:"


@dataclass(frozen=True, kw_only=True)
class DataKey:
    """The key that seals what is stored about one subject."""

    key_id: bytes
    """Random, of 16 bytes, and the same for all versions; it stands in every sealed value."""
    version: int
    """Counts from 1; also in every sealed value."""
    subject: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class IndexKey:
    """The root of the keys by which equal values are found."""

    version: int
    """From 1 to 255; it is the first byte of every value of an index."""
    secret: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """What became of the keys of a subject."""

    keys: int
    """How many versions of its key were destroyed, now or before."""
    tombstone: bytes
    """A keyed hash of the subject, by which it is known after a backup was restored."""
    erased_at: int
    """When it was erased last, in seconds since 1970; of a later erasure it is greater."""


class Keystore(Protocol):
    """Where keys are kept: apart from the data, and from the backups of the data.

    Whatever returns has been stored for good. Keys are made outside of the transactions of the
    data, before these are committed, so there may be keys for which there is no data, never data
    for which there is no key. All methods can be called from many threads and processes.

    Raises:
        KeystoreError: it cannot be read or written.

    """

    def generation(self) -> int:
        """Return a number that rises with every change, so that copies can be told outdated."""
        ...

    def data_keys_for(self, subjects: Collection[str]) -> Mapping[str, DataKey]:
        """Return the newest key of each subject, and make those that are missing.

        Raises:
            SubjectErasedError: one of them was erased; nothing was made.

        """
        ...

    def data_key(self, key_id: bytes, version: int) -> DataKey:
        """Return a key by what a sealed value says.

        Raises:
            SubjectErasedError: it was destroyed.
            UnknownKeyError: it was never here, or it was retired.

        """
        ...

    def renew_data_key(self, subject: str) -> DataKey:
        """Make the next version of a subject's key; the former ones go on to open."""
        ...

    def index_keys(self) -> tuple[IndexKey, ...]:
        """Return all that are in use, the one to write with first; makes the first one."""
        ...

    def subject_secret(self, subject: str) -> bytes:
        """Return the secret of a subject for commitments: it is never renewed, but erased.

        Raises:
            SubjectErasedError: the subject was erased.

        """
        ...

    def subject_secrets(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        """Return the secrets of many subjects, as `subject_secret` does of one.

        Those that were erased are left out.
        """
        ...

    def secret(self, purpose: Purpose) -> bytes:
        """Return a key of the store itself; makes it when it is asked for first."""
        ...

    def erase(self, subject: str, *, after: int = 0) -> Erasure:
        """Destroy all keys of a subject for good, and remember that; doing it again is no harm.

        It stays the erasure of then, unless that was not later than the moment `after`: whoever
        knows of it, and erases again, begins another one.
        """
        ...

    def tombstone_of(self, subject: str) -> bytes:
        """Return the keyed hash under which the store remembers an erased subject."""
        ...

    def erasures(self) -> Iterator[Erasure]:
        """Yield the last one of each subject that was erased."""
        ...
