"""Seals values for their rows, and opens them: all that the rest of Timber uses of encryption."""

import hmac
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, Table as SQLTable

from timber.common.encryption.aead import NONCE_BYTES, opened
from timber.common.encryption.base import IndexKey
from timber.common.encryption.blind_index import index_secret, index_value
from timber.common.encryption.identities import SealTarget
from timber.common.encryption.index_versions import settled_hashes
from timber.common.encryption.keyring import Keyring, ReadyKey
from timber.common.encryption.selected import HEADER, KEY_ID, NONCE_END, VERSION, opened_rows
from timber.common.encryption.tables import Field, TableSeal
from timber.common.encryption.values import checked, dumped, sealed_value, with_something
from timber.common.errors import (
    EncryptionError,
    SubjectErasedError,
    TamperedError,
    UnknownKeyError,
)
from timber.common.modeling.sealed import Ciphertext, PlacedCiphertext
from timber.common.modeling.sealed_tables import (
    LEAST_BYTES,
    MAGIC,
    Places,
    SealedTable,
    apart_of,
    sealed_of,
)


class Sealer:
    """Seals and opens the values of one Timber's models.

    It works while the keyring is open; all methods raise a NotOpenError before.
    """

    def __init__(
        self, *, keyring: Keyring, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._keyring = keyring
        self._random_bytes = random_bytes
        self._tables: dict[str, TableSeal] = {}
        self._apart: dict[str, TableSeal] = {}
        self._secrets: dict[tuple[IndexKey, str, str], bytes] = {}

    def know(self, tables: Iterable[SQLTable]) -> None:
        """Learn which columns of which tables are sealed, in the place of what was known."""
        tables = list(tables)
        self._tables, self._apart = (
            {
                table.name: TableSeal(table, sealed)
                for table in tables
                if (sealed := known(table)) is not None
            }
            for known in (sealed_of, apart_of)
        )
        self._secrets.clear()

    @property
    def tables(self) -> Mapping[str, TableSeal]:
        """The tables of models with sealed columns, by name."""
        return self._tables

    def lease(self, connection: Connection) -> None:
        """Have the keys in use live until the transaction ends; who seals single values asks.

        Raises as `Keyring.lease`.
        """
        self._keyring.lease(connection)

    def seal_value(self, target: SealTarget, value: Any) -> Ciphertext | None:
        """Seal one value; None stays None.

        Raises:
            InvalidValueError: the column cannot hold it.
            SubjectErasedError: whom it is about was erased.
            KeystoreError: the keystore cannot be read.

        """
        if value is None:
            return None
        known = self.table(target.table)
        subject = target.subject or known.subject(target.key, target.link)
        if subject is None:
            raise EncryptionError(f"{target.table}: say whose row it is, as `subject`")
        ready = self._keyring.current(subject)
        row = known.row(target.key, target.link)
        field = known.field(target.column)
        return sealed_value(
            field, row, ready, dumped(field, value), self._random_bytes(NONCE_BYTES)
        )

    def open_value(self, target: SealTarget, ciphertext: bytes | None) -> Any:
        """Open one value; None stays None.

        Raises:
            TamperedError: it was not sealed for this place, or was changed since.
            SubjectErasedError: whom it is about was erased.
            UnknownKeyError: the keystore does not have its key.
            KeystoreError: the keystore cannot be read.

        """
        if ciphertext is None:
            return None
        known = self.table(target.table)
        subject = target.subject or known.subject(target.key, target.link)
        row = known.row(target.key, target.link)
        return self._open(known.field(target.column), row, subject, ciphertext)

    def seal_row(
        self, table: str, row: Mapping[Any, Any], *, subject: str | None = None
    ) -> dict[str, Any]:
        """Return a row, by columns, with what is to be sealed in it sealed; indexes are added.

        `subject` says whose row it is where more than one foreign key leads to that.
        Raises as `seal_value`.
        """
        known, done = self.table(table), dict(row)
        for name, field in known.fields.items():
            if name not in row:
                continue
            value = row[name]
            if value is not None and not isinstance(value, Ciphertext):
                target = known.target(name, row, subject)
                done[name] = self.seal_value(target, value)
                if field.column.index is not None:
                    done[field.column.index] = self.blind(table, name, value)[0]
            elif field.column.index is not None and value is None:
                done[field.column.index] = None
        return done

    def open_row(
        self, table: str, row: Mapping[Any, Any], *, subject: str | None = None
    ) -> dict[str, Any]:
        """Return a row that was selected by columns, with what is sealed in it opened.

        The row holds its primary key, and the column by which it belongs to a person.
        Raises as `open_value`.
        """
        known, done = self.table(table), dict(row)
        for name in known.fields.keys() & done.keys():
            if done[name] is not None:
                done[name] = self.open_value(known.target(name, row, subject), done[name])
        return done

    def open_rows(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> Iterator[list[Any]]:
        """Yield rows that were selected by `columns`, with what is sealed in them opened.

        Among the columns are those of the key, and the one by which a row belongs to a person.
        Raises as `open_value`.
        """
        return opened_rows(
            self.table(table), columns, rows, keyring=self._keyring, open_one=self._open
        )

    def blind(self, table: str, column: str, value: Any) -> tuple[bytes, ...]:
        """Return what the index of a column holds for a value, for each key; newest first.

        Raises:
            InvalidValueError: the column cannot hold the value.

        """
        field = self.table(table).field(column)
        written = checked(field, field.dumps_normalised, value)
        return tuple(
            index_value(root.version, self._secret(root, table, column), written)
            for root in self._keyring.index_keys()
        )

    def sealed_anew(self, target: SealTarget, ciphertext: bytes) -> Ciphertext | None:
        """Return a value sealed with the newest key of whose it is; None: it is so already.

        Raises as `open_value`.
        """
        opener = self._keyring.opener(
            ciphertext[KEY_ID], int.from_bytes(ciphertext[VERSION], "big")
        )
        if self._keyring.current(opener.subject).header == ciphertext[:HEADER]:
            return None
        owned = replace(target, subject=opener.subject)
        return self.seal_value(owned, self.open_value(target, ciphertext))

    def subjects_of(
        self, table: str, rows: Sequence[Mapping[Any, Any]], connection: Connection
    ) -> list[str]:
        """Return whose each row is, as a keystore names him.

        The rows hold their primary keys, and the column by which they belong to a person.
        """
        known = self.table(table)
        link = known.sealed.link
        keys = [[row[name] for name in known.key_names] for row in rows]
        bound = known.rows(keys, [row[link] if link else None for row in rows], connection)
        return [subject for _, subject in bound]

    def can_seal_for(self, subject: str) -> bool:
        """Tell whether a subject has a key, or may get one: not when it was erased.

        Raises:
            KeystoreError: the keystore cannot be read.

        """
        try:
            self._keyring.current(subject)
        except SubjectErasedError:
            return False
        return True

    def is_erased(self, ciphertext: bytes) -> bool:
        """Tell whether the key of a value was destroyed, for whom it is about was erased.

        Raises:
            KeystoreError: the keystore cannot be read.

        """
        version = int.from_bytes(ciphertext[VERSION], "big")
        try:
            self._keyring.opener(ciphertext[KEY_ID], version)
        except SubjectErasedError:
            return True
        except UnknownKeyError:
            return False  # who opens it is told
        return False

    def hashers(self, table: str, index: str) -> tuple[Callable[[bytes], bytes], ...]:
        """Return what hashes for an index of one's own, with each key in use; newest first.

        A hash is an HMAC-SHA-256, of 32 bytes.
        """
        secrets = [self._secret(root, table, index) for root in self._keyring.index_keys()]
        return tuple(partial(_hmac, secret) for secret in secrets)

    def table(self, name: str) -> TableSeal:
        """Return what is known of a table with sealed columns.

        Raises:
            EncryptionError: it has none.

        """
        found = self._tables.get(name) or self._apart.get(name)
        if found is None:
            raise EncryptionError(f"the table {name!r} has no sealed columns")
        return found

    def seal_rows(
        self,
        table: SealedTable,
        rows: Sequence[Any],
        places: Places,
        connection: Connection,
        links: Sequence[Any] | None = None,
    ) -> None:
        """Put sealed values, and their indexes, in the place of what the rows hold.

        `links` are those of the rows, where the rows do not hold them.
        Raises as `seal_value`; then the rows may be sealed in part.
        """
        known = self.table(table.name)
        fields = [(known.fields[column.name], at, to) for column, at, to in places.fields]
        if links is None:
            links = [None if places.link is None else row[places.link] for row in rows]
        rows, links = with_something(rows, links, places)
        if not rows:
            return
        self._keyring.lease(connection)
        bound = known.rows([[row[at] for at in places.key] for row in rows], links, connection)
        keys = self._keyring.current_for({subject for _, subject in bound})
        nonces = self._random_bytes(NONCE_BYTES * len(rows) * len(fields))
        start = 0
        for row, (about, subject) in zip(rows, bound, strict=True):
            key = keys[subject]
            header, encrypt = key.header, key.cipher.encrypt
            for field, at, to in fields:
                value = row[at]
                if value is None:
                    continue
                if isinstance(value, Ciphertext):
                    value = self._placed(field, about, key, row, at)
                else:
                    # As `sealed_value`; here a call for each value would be felt.
                    nonce = nonces[start : start + NONCE_BYTES]
                    start += NONCE_BYTES
                    written = field.tag + checked(field, field.write, value)
                    sealed = encrypt(nonce, written, header + field.about + about)
                    row[at] = PlacedCiphertext(header + nonce + sealed)
                if to is not None:
                    row[to] = self._index(field, value)
        self._settle(known, rows, [about for about, _ in bound], places, connection)

    def _placed(self, field: Field, about: bytes, key: ReadyKey, row: Any, at: Any) -> Any:
        """Return what is in a sealed value; of another row nobody could ever open it."""
        sealed = row[at]
        value = self._open(field, about, key.subject, sealed)
        if not sealed.startswith(key.header):
            # Its key may be destroyed once no row is known to need it any more.
            nonce = self._random_bytes(NONCE_BYTES)
            sealed = sealed_value(field, about, key, dumped(field, value), nonce)
        row[at] = PlacedCiphertext(sealed)
        return value

    def _settle(
        self,
        known: TableSeal,
        rows: Sequence[Any],
        about: Sequence[bytes],
        places: Places,
        connection: Connection,
    ) -> None:
        """Take for unique indexes the hashes that are there, while two roots are in use."""
        indexed = [one for one in places.fields if one[2] is not None]
        if not indexed or len(self._keyring.index_keys()) == 1:
            return
        for column, at, to in indexed:
            if not known.must_be_unique(column.name):
                continue
            field = known.fields[column.name]
            sealed = [
                (row, self._open(field, bound, None, row[at]))
                for row, bound in zip(rows, about, strict=True)
                if row[at] is not None
            ]
            hashes = [self.blind(known.sealed.name, column.name, value) for _, value in sealed]
            chosen = settled_hashes(connection, known.index(column.name), hashes)
            for (row, _), value in zip(sealed, chosen, strict=True):
                row[to] = value

    def _index(self, field: Field, value: Any) -> bytes:
        written = checked(field, field.dumps_normalised, value)
        root = self._keyring.index_keys()[0]
        secret = self._secret(root, field.column.table, field.column.name)
        return index_value(root.version, secret, written)

    def _open(self, field: Field, row: bytes, subject: str | None, sealed: bytes) -> Any:
        if len(sealed) < LEAST_BYTES or not sealed.startswith(MAGIC):
            raise TamperedError(f"{field.column} holds no sealed value")
        version = int.from_bytes(sealed[VERSION], "big")
        ready = self._keyring.opener(sealed[KEY_ID], version)
        if subject is not None and ready.subject != subject:
            raise TamperedError(f"{field.column} was sealed for somebody else")
        header = sealed[:HEADER]
        try:
            plain = opened(
                ready.cipher,
                sealed[HEADER:NONCE_END],
                sealed[NONCE_END:],
                header + field.about + row,
            )
            return field.codec.loads(plain)
        except EncryptionError as error:
            raise type(error)(f"{field.column} cannot be opened: {error}") from None

    def _secret(self, root: IndexKey, table: str, column: str) -> bytes:
        place = (root, table, column)
        found = self._secrets.get(place)
        if found is None:
            found = self._secrets[place] = index_secret(root, table, column)
        return found


def _hmac(secret: bytes, written: bytes) -> bytes:
    return hmac.digest(secret, written, "sha256")
