"""Pieces of texts that are encrypted: sealed, found by keyed hashes of their words, and opened.

A piece is sealed with the key of whose row it was made of, and bound to its place: the source,
the row and which piece of it. It is opened for those who embed it and for those who find it.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, MetaData

from timber.common.encryption.identities import SealTarget
from timber.common.encryption.sealing import Sealer
from timber.common.errors import (
    EmbedderMismatchError,
    EmbedderUnavailableError,
    EmbeddingError,
    SubjectErasedError,
    TimberError,
)
from timber.common.modeling.sealed_tables import HashedWords, seal_apart
from timber.common.vector.stems import asked_stems, stored_stems
from timber.common.vector.tables import CHUNKS

SEALED: Final = "sealed"
"""The column with a sealed text."""
_WITHOUT_TEXT: Final = (EmbedderMismatchError, EmbedderUnavailableError)
_PLACE: Final = ("source_type", "source_id", "ordinal")
_HASH_BYTES: Final = 5
"""Of a million words two have the same hash once in two databases, and then find each other."""


class PiecePlace(NamedTuple):
    """Where a piece is: what its text is bound to."""

    source_type: str
    source_id: str
    ordinal: int


class PieceSeals:
    """Seals and opens pieces, and hashes their words. All but `prepare` needs the keys."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def prepare(self, metadata: MetaData) -> None:
        """Let the table of pieces have a column that is sealed here."""
        if CHUNKS in metadata.tables:
            words = HashedWords("words", lambda key, text: self.words(key[0], text))
            table = metadata.tables[CHUNKS]
            seal_apart(table, SEALED, key=_PLACE, words=words, seals=self._sealer)

    # ------------------------------------------------------------------ rows

    def subjects_of(
        self, table: str, rows: Sequence[Mapping[str, Any]], connection: Connection
    ) -> list[str]:
        """Return whose each row of a model is, as a keystore names him."""
        return self._sealer.subjects_of(table, rows, connection)

    def opened_row(
        self, table: str, row: Mapping[str, Any], *, subject: str
    ) -> dict[str, Any] | None:
        """Return a row of a model, opened; None: whose it is was erased, so nobody can.

        Raises as `Sealer.open_row`.
        """
        try:
            is_alive = self._sealer.can_seal_for(subject)
            return self._sealer.open_row(table, row) if is_alive else None
        except SubjectErasedError:  # it was sealed for somebody else, before it became theirs
            return None

    # ------------------------------------------------------------------ pieces

    def lease(self, connection: Connection) -> None:
        """Have the keys that seal pieces, and hash their words, live until the transaction ends.

        Raises:
            PlaintextRefusedError: the connection commits each statement by itself.
            KeystoreError: the keystore cannot be read.

        """
        self._sealer.lease(connection)

    def seal(self, place: PiecePlace, content: str, *, subject: str) -> bytes:
        """Seal the text of a piece, for a subject as a keystore names it.

        Raises:
            SubjectErasedError: whom it is about was erased.
            KeystoreError: the keystore cannot be read.

        """
        sealed = self._sealer.seal_value(_target(place, subject), content)
        return bytes(sealed or b"")

    def open(self, place: PiecePlace, sealed: bytes) -> str:
        """Return the text of a piece.

        Raises:
            TamperedError: it was not sealed for this place, or was changed since.
            SubjectErasedError: whom it is about was erased.
            UnknownKeyError: the keystore does not have its key.
            KeystoreError: the keystore cannot be read.

        """
        return str(self._sealer.open_value(_target(place), sealed))

    def sealed_anew(self, place: PiecePlace, sealed: bytes) -> bytes | None:
        """Return it sealed with the newest key; None if it is. Raises as `open`."""
        found = self._sealer.sealed_anew(_target(place), sealed)
        return None if found is None else bytes(found)

    def is_erased(self, sealed: bytes) -> bool:
        """Tell whether nobody can open it any more, for whom it is about was erased."""
        return self._sealer.is_erased(sealed)

    # ------------------------------------------------------------------ words

    def words(self, source_type: str, content: str) -> str:
        """Return what the full text has of a piece: hashes, in an order that tells nothing."""
        newest = self._sealer.hashers(CHUNKS, _index(source_type))[0]
        return " ".join(sorted(_hashes(newest, stored_stems(content))))

    def asked(self, source_type: str, text: str) -> str:
        """Return what to look for in the full text: hashes of each key that is in use."""
        hashers = self._sealer.hashers(CHUNKS, _index(source_type))
        stems = asked_stems(text)
        found = [_hashes(one, stems) for one in hashers]
        return " ".join(one for of_word in zip(*found, strict=True) for one in of_word)


def discreet(error: TimberError) -> TimberError:
    """Return an error of embedding an encrypted text that does not quote it, as the first may."""
    if not isinstance(error, EmbeddingError) or isinstance(error, _WITHOUT_TEXT):
        return error
    return EmbeddingError(
        f"an encrypted text could not be embedded ({type(error).__name__}); why is not told, for "
        "that may quote it: embed a text of your own by the same embedder to see"
    )


def _target(place: PiecePlace, subject: str | None = None) -> SealTarget:
    return SealTarget(table=CHUNKS, column=SEALED, key=tuple(place), subject=subject)


def _index(source_type: str) -> str:
    """Return the name of a source's index: in no two has a word the same hash."""
    return f"words of {source_type}"


def _hashes(hasher: Any, stems: Iterable[str]) -> list[str]:
    known: dict[str, str] = {}
    found = []
    for stem in stems:
        if stem not in known:
            # A letter before and a zero behind: one word, of which nothing is an ending.
            short = base64.b32encode(hasher(stem.encode())[:_HASH_BYTES]).decode("ascii")
            known[stem] = f"w{short.lower()}0"
        found.append(known[stem])
    return found
