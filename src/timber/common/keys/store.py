"""A keystore in a database: SQLite or PostgreSQL, which many machines can share."""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, and_, delete, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from typing_extensions import override

from timber.common.clock import Clock
from timber.common.encryption.base import (
    KEY_BYTES,
    KEY_ID_BYTES,
    DataKey,
    Erasure,
    IndexKey,
    Keystore,
    Purpose,
)
from timber.common.errors import SubjectErasedError, UnknownKeyError
from timber.common.keys.envelopes import Envelopes, Kind, Place
from timber.common.keys.tables import KEYS, SUBJECTS
from timber.common.keys.transactions import (
    changed_state,
    held_state,
    in_parts,
    reading,
    state,
    writing,
)

_AT_ONCE: Final = 500
"""How many subjects a statement asks for."""


class SqlKeystore(Keystore):
    """A keystore over an engine whose tables are there; `opening` makes them.

    Neither a secret nor the name of a subject is stored but wrapped under the master key.
    """

    def __init__(self, *, engine: Engine, envelopes: Envelopes, clock: Clock) -> None:
        self.engine: Final = engine
        self.envelopes: Final = envelopes
        self._clock = clock
        self._tombstones_key: bytes | None = None

    def now(self) -> int:
        """Return the seconds since 1970."""
        return int(self._clock.now().timestamp())

    @override
    def generation(self) -> int:
        with reading(self.engine) as connection:
            return int(state(connection).generation)

    # ------------------------------------------------------------------ keys of data

    @override
    def data_keys_for(self, subjects: Collection[str]) -> Mapping[str, DataKey]:
        names = {self.tombstone_of(subject): subject for subject in subjects}
        with reading(self.engine) as connection:
            found = self._newest(connection, names)
        # In one order, so that nobody waits for one who waits for him.
        missing = sorted(names.keys() - found.keys())
        for part in in_parts(missing, _AT_ONCE):
            with writing(self.engine) as connection:
                self._make(connection, {name: names[name] for name in part})
                found.update(self._newest(connection, {name: names[name] for name in part}))
        return {subject: found[name] for name, subject in names.items()}

    def _newest(self, connection: Connection, names: Mapping[bytes, str]) -> dict[bytes, DataKey]:
        found: dict[bytes, DataKey] = {}
        query = select(SUBJECTS.c.tombstone, SUBJECTS.c.erased_at, KEYS).outerjoin_from(
            SUBJECTS,
            KEYS,
            and_(
                KEYS.c.kind == "data",
                KEYS.c.name == SUBJECTS.c.key_id,
                KEYS.c.version == SUBJECTS.c.newest,
            ),
        )
        for part in in_parts(list(names), _AT_ONCE):
            for row in connection.execute(query.where(SUBJECTS.c.tombstone.in_(part))):
                if row.erased_at is not None:
                    raise _erased(row.tombstone)
                found[row.tombstone] = self._data_key(row)
        return found

    def _make(self, connection: Connection, names: Mapping[bytes, str]) -> None:
        now = held_state(connection)
        claimed = connection.execute(
            self._insert(connection, SUBJECTS)
            .on_conflict_do_nothing()
            .returning(SUBJECTS.c.tombstone, SUBJECTS.c.key_id),
            [_fresh_subject(name) for name in sorted(names)],
        ).all()
        if claimed:
            connection.execute(
                insert(KEYS),
                [
                    self._wrapped_data_key(one.key_id, 1, names[one.tombstone], now)
                    for one in claimed
                ],
            )

    @override
    def data_key(self, key_id: bytes, version: int) -> DataKey:
        query = select(KEYS).where(
            KEYS.c.kind == "data", KEYS.c.name == key_id, KEYS.c.version == version
        )
        with reading(self.engine) as connection:
            row = connection.execute(query).one_or_none()
            if row is not None:
                return self._data_key(row)
            subject = connection.execute(
                select(SUBJECTS).where(SUBJECTS.c.key_id == key_id)
            ).one_or_none()
        if subject is not None and subject.erased_at is not None:
            raise _erased(subject.tombstone)
        what = "was retired" if subject is not None else "was never in this keystore"
        raise UnknownKeyError(
            f"version {version} of the key {key_id.hex()} {what}: open the data with the keystore "
            "that belongs to it, or restore that from a backup of the same time"
        )

    @override
    def renew_data_key(self, subject: str) -> DataKey:
        name = self.tombstone_of(subject)
        with writing(self.engine) as connection:
            now = changed_state(connection)
            known = connection.execute(
                select(SUBJECTS).where(SUBJECTS.c.tombstone == name).with_for_update()
            ).one_or_none()
            if known is None:
                self._make(connection, {name: subject})
            else:
                self._renew(connection, [(known, subject)], now)
            return self._newest(connection, {name: subject})[name]

    def renew_outdated(self, key_ids: Iterable[bytes]) -> int:
        """Make new versions of those keys that are of an older epoch; return how many.

        Those of subjects that were erased are left alone.
        """
        with writing(self.engine) as connection:
            now = changed_state(connection)
            rows = connection.execute(
                select(SUBJECTS, KEYS.c.wrapped, KEYS.c.master_version)
                .join_from(SUBJECTS, KEYS, KEYS.c.name == SUBJECTS.c.key_id)
                .where(
                    KEYS.c.kind == "data",
                    KEYS.c.version == SUBJECTS.c.newest,
                    KEYS.c.epoch < now.epoch,
                    SUBJECTS.c.key_id.in_(sorted(key_ids)),
                    SUBJECTS.c.erased_at.is_(None),
                )
            ).all()
            self._renew(connection, [(row, self._subject_of(row)) for row in rows], now)
        return len(rows)

    def versions_of(self, key_ids: Collection[bytes]) -> list[DataKey]:
        """Return all versions of these keys; those that are not there are left out."""
        query = select(KEYS).where(KEYS.c.kind == "data")
        found: list[DataKey] = []
        with reading(self.engine) as connection:
            for part in in_parts(sorted(key_ids), _AT_ONCE):
                rows = connection.execute(query.where(KEYS.c.name.in_(part)))
                found.extend(self._data_key(row) for row in rows)
        return found

    def _subject_of(self, row: Any) -> str:
        place = Place("data", row.key_id, row.newest)
        payload = self.envelopes.unwrap(row.wrapped, place, master=row.master_version)
        return payload[KEY_BYTES:].decode()

    def _renew(self, connection: Connection, known: list[tuple[Any, str]], now: Any) -> None:
        if not known:
            return
        for row, _subject in known:
            if row.erased_at is not None:
                raise _erased(row.tombstone)
        connection.execute(
            insert(KEYS),
            [
                self._wrapped_data_key(row.key_id, row.newest + 1, subject, now)
                for row, subject in known
            ],
        )
        connection.execute(
            update(SUBJECTS)
            .where(SUBJECTS.c.key_id.in_([row.key_id for row, _ in known]))
            .values(newest=SUBJECTS.c.newest + 1)
        )

    def _wrapped_data_key(
        self, key_id: bytes, version: int, subject: str, now: Any
    ) -> dict[str, Any]:
        return self._wrapped(
            secrets.token_bytes(KEY_BYTES) + subject.encode(),
            Place("data", key_id, version),
            now,
        )

    def _data_key(self, row: Any) -> DataKey:
        payload = self._payload(row)
        return DataKey(
            key_id=row.name,
            version=row.version,
            subject=payload[KEY_BYTES:].decode(),
            secret=payload[:KEY_BYTES],
        )

    # ------------------------------------------------------------------ other secrets

    @override
    def index_keys(self) -> tuple[IndexKey, ...]:
        query = select(KEYS).where(KEYS.c.kind == "index").order_by(KEYS.c.version.desc())
        with reading(self.engine) as connection:
            written, rows = state(connection).index_version, connection.execute(query).all()
        if not rows:
            with writing(self.engine) as connection:
                now = changed_state(connection)
                if not now.index_version:
                    now = changed_state(connection, index_version=1)
                    self.claim(connection, Place("index", b"", 1), now)
                written, rows = now.index_version, connection.execute(query).all()
        keys = [IndexKey(version=row.version, secret=self._payload(row)) for row in rows]
        return tuple(sorted(keys, key=lambda key: key.version != written))

    @override
    def subject_secret(self, subject: str) -> bytes:
        key_id = self.data_keys_for((subject,))[subject].key_id
        place = Place("subject", key_id, 1)
        found = self._find(place)
        if found is not None:
            return found
        with writing(self.engine) as connection:
            now = held_state(connection)
            row = connection.execute(
                select(SUBJECTS).where(SUBJECTS.c.key_id == key_id).with_for_update()
            ).one()
            if row.erased_at is not None:
                raise _erased(row.tombstone)
            return self.claim(connection, place, now)

    @override
    def subject_secrets(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        names = {self.tombstone_of(subject): subject for subject in subjects}
        erased = SUBJECTS.c.erased_at.is_not(None)
        with reading(self.engine) as connection:
            for part in in_parts(list(names), _AT_ONCE):
                query = select(SUBJECTS.c.tombstone).where(SUBJECTS.c.tombstone.in_(part), erased)
                for gone in connection.scalars(query).all():
                    del names[gone]
        keys = {key.key_id: one for one, key in self.data_keys_for(names.values()).items()}
        found = self._subject_secrets(keys)
        for part in in_parts(sorted(keys.keys() - found.keys()), _AT_ONCE):
            with writing(self.engine) as connection:
                now = held_state(connection)
                living = select(SUBJECTS.c.key_id).where(SUBJECTS.c.key_id.in_(part), ~erased)
                made = [
                    self._wrapped(secrets.token_bytes(KEY_BYTES), Place("subject", name, 1), now)
                    for name in connection.scalars(living.with_for_update()).all()
                ]
                if made:
                    connection.execute(
                        self._insert(connection, KEYS).on_conflict_do_nothing(), made
                    )
            found.update(self._subject_secrets(part))
        return {keys[name]: secret for name, secret in found.items()}

    def _subject_secrets(self, names: Collection[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        with reading(self.engine) as connection:
            for part in in_parts(list(names), _AT_ONCE):
                query = select(KEYS).where(KEYS.c.kind == "subject", KEYS.c.name.in_(part))
                found.update((row.name, self._payload(row)) for row in connection.execute(query))
        return found

    @override
    def secret(self, purpose: Purpose) -> bytes:
        place = Place("purpose", purpose.encode(), 1)
        found = self._find(place)
        if found is not None:
            return found
        with writing(self.engine) as connection:
            return self.claim(connection, place, held_state(connection))

    def _find(self, place: Place) -> bytes | None:
        """Return the secret at a place, or None if nobody has made one yet."""
        with reading(self.engine) as connection:
            row = connection.execute(select(KEYS).where(_at(place))).one_or_none()
        return None if row is None else self._payload(row)

    def claim(self, connection: Connection, place: Place, now: Any) -> bytes:
        """Return the secret at a place, which is made if nobody else has."""
        made = self._wrapped(secrets.token_bytes(KEY_BYTES), place, now)
        connection.execute(self._insert(connection, KEYS).on_conflict_do_nothing(), made)
        return self._payload(connection.execute(select(KEYS).where(_at(place))).one())

    # ------------------------------------------------------------------ erasure

    @override
    def erase(self, subject: str, *, after: int = 0) -> Erasure:
        name = self.tombstone_of(subject)
        with writing(self.engine) as connection:
            changed_state(connection)
            connection.execute(
                self._insert(connection, SUBJECTS).on_conflict_do_nothing(), _fresh_subject(name)
            )
            row = connection.execute(
                select(SUBJECTS).where(SUBJECTS.c.tombstone == name).with_for_update()
            ).one()
            its_keys = and_(KEYS.c.name == row.key_id, KEYS.c.kind.in_(("data", "subject")))
            gone = connection.execute(delete(KEYS).where(its_keys).returning(KEYS.c.kind)).all()
            destroyed = row.destroyed + sum(kind == "data" for (kind,) in gone)
            erased_at = row.erased_at
            if erased_at is None or erased_at <= after:
                # Later than any before, also when the clock was put back.
                erased_at = max(self.now(), (erased_at or 0) + 1, after + 1)
            connection.execute(
                update(SUBJECTS)
                .where(SUBJECTS.c.tombstone == name)
                .values(destroyed=destroyed, erased_at=erased_at)
            )
        return Erasure(keys=destroyed, tombstone=name, erased_at=erased_at)

    @override
    def tombstone_of(self, subject: str) -> bytes:
        if self._tombstones_key is None:
            self._tombstones_key = self.secret("tombstone")
        return hmac.digest(self._tombstones_key, subject.encode(), hashlib.sha256)

    @override
    def erasures(self) -> Iterator[Erasure]:
        last = b""
        query = select(SUBJECTS).where(SUBJECTS.c.erased_at.is_not(None))
        while True:
            after = query.where(SUBJECTS.c.tombstone > literal(last, SUBJECTS.c.tombstone.type))
            with reading(self.engine) as connection:
                page = connection.execute(after.order_by(SUBJECTS.c.tombstone).limit(_AT_ONCE))
                found = page.all()
            for row in found:
                yield Erasure(keys=row.destroyed, tombstone=row.tombstone, erased_at=row.erased_at)
            if len(found) < _AT_ONCE:
                return
            last = found[-1].tombstone

    # ------------------------------------------------------------------ wrapping

    def _wrapped(self, secret: bytes, place: Place, now: Any) -> dict[str, Any]:
        return {
            "kind": place.kind,
            "name": place.name,
            "version": place.version,
            "wrapped": self.envelopes.wrap(secret, place, master=now.master_version),
            "master_version": now.master_version,
            "epoch": now.epoch,
            "made_at": self.now(),
        }

    def _payload(self, row: Row[Any] | Any) -> bytes:
        kind: Kind = row.kind
        place = Place(kind, row.name, row.version)
        return self.envelopes.unwrap(row.wrapped, place, master=row.master_version)

    @staticmethod
    def _insert(connection: Connection, table: Any) -> Any:
        is_sqlite = connection.dialect.name == "sqlite"
        return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def _fresh_subject(tombstone: bytes) -> dict[str, Any]:
    return {
        "tombstone": tombstone,
        "key_id": secrets.token_bytes(KEY_ID_BYTES),
        "newest": 1,
        "erased_at": None,
        "destroyed": 0,
    }


def _at(place: Place) -> Any:
    return and_(
        KEYS.c.kind == place.kind, KEYS.c.name == place.name, KEYS.c.version == place.version
    )


def _erased(tombstone: bytes) -> SubjectErasedError:
    return SubjectErasedError(
        "whom this is about was erased, and the keys were destroyed for good "
        f"(tombstone {tombstone.hex()[:16]})"
    )
