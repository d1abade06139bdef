"""Opens the keystore that the settings name: the right one, with the right master key, or none.

Nothing is written before it is known that the keys belong to the data.
"""

import contextlib
import logging
import secrets
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, insert, inspect, select

from timber.common.clock import Clock
from timber.common.encryption.aead import require_ciphers
from timber.common.errors import KeystoreError, MasterKeyError
from timber.common.keys.base import MasterKeys
from timber.common.keys.bond import Bond
from timber.common.keys.engines import file_engine, url_engine
from timber.common.keys.envelopes import Envelopes
from timber.common.keys.locks import Exclusive, exclusive_on
from timber.common.keys.places import KeyPlaces
from timber.common.keys.store import SqlKeystore
from timber.common.keys.tables import FORMAT, MASTERS, METADATA, STATE
from timber.common.keys.transactions import reading, state, troubles, writing

_log: Final = logging.getLogger(__name__)
_STORE_ID_BYTES: Final = 16
_TOGETHER: Final = (
    "Both lie in one folder: whoever has a copy of it can read what its keys have sealed, also of "
    "persons who are erased later, so let no backup take it along, or keep the master key "
    "elsewhere (TIMBER_MASTER_KEY, TIMBER_MASTER_KEY_FILE)"
)
_MAKE: Final = "`timber keys init` makes them on purpose"


@dataclass(frozen=True)
class OpenKeys:
    """A keystore that is open, and what keeps its master keys."""

    store: SqlKeystore
    masters: MasterKeys
    store_id: bytes
    where: str
    is_new: bool
    """Whether it was made just now."""
    exclusive: Exclusive
    """Gives the right to renew keys, to one process at a time."""


@contextlib.contextmanager
def opened_keys(
    places: KeyPlaces, *, bond: Bond, clock: Clock, may_create: bool
) -> Generator[OpenKeys]:
    """Give the keystore, made where there is none and `may_create`.

    Raises:
        FeatureUnavailableError: the extra `encryption` is not installed.
        ConfigurationError: a setting cannot be used.
        MasterKeyError: the master key is missing, or another one.
        KeystoreError: the keystore is missing, broken, or that of other data.

    """
    require_ciphers()
    belongs_to = bond.read()
    if places.is_there is False:
        _refuse_to_make(places, belongs_to, may_create=may_create)
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(
            file_engine(places.file) if places.file else url_engine(places.url)
        )
        masters = places.masters
        is_new = False
        if not _is_made(engine):
            _refuse_to_make(places, belongs_to, may_create=may_create)
            is_new = _make(engine, masters, clock)
            if is_new and places.is_kept:
                _log.warning(
                    "made new keys: the keystore is %s, its master key in %s. Back them up, "
                    "apart from the database: without them nobody can read what is sealed%s",
                    places.where,
                    masters.where,
                    f". {_TOGETHER}" if places.is_together else "",
                )
        store_id = _checked_id(engine, masters, places.where)
        _refuse_foreign(store_id, belongs_to, places.where)
        if belongs_to is None:
            bond.write(store_id)
        envelopes = Envelopes(masters, store_id)
        store = SqlKeystore(engine=engine, envelopes=envelopes, clock=clock)
        lock = exclusive_on(engine, places.file)
        yield OpenKeys(store, masters, store_id, places.where, is_new, lock)


def _is_made(engine: Engine) -> bool:
    with troubles("be read"):
        if not inspect(engine).has_table(STATE.name):
            return False
    with reading(engine) as connection:
        return connection.execute(select(STATE.c.id)).first() is not None


def _refuse_to_make(places: KeyPlaces, belongs_to: bytes | None, *, may_create: bool) -> None:
    if belongs_to is not None:
        raise KeystoreError(
            f"the keystore {belongs_to.hex()} of this database is not at {places.where}: restore "
            "it from its backup, or say in `keystore` where it is; new keys would open nothing"
        )
    if not may_create:
        raise KeystoreError(
            f"there are no keys at {places.where}, and in production none are made by themselves: "
            f"say in `keystore` and `master_key` where they are; {_MAKE}"
        )


def _make(engine: Engine, masters: MasterKeys, clock: Clock) -> bool:
    """Make the tables and what is in them, and a master key; tell whether anything was made."""
    store_id = secrets.token_bytes(_STORE_ID_BYTES)
    with writing(engine) as connection:
        _only_one(connection)
        if inspect(connection).has_table(STATE.name) and connection.execute(select(STATE)).first():
            return False  # by another process, while this one waited
        if not masters.read():
            masters.create(1)
        version = max(masters.read())
        made_at = int(clock.now().timestamp())
        METADATA.create_all(connection)
        connection.execute(
            insert(STATE),
            {
                "id": 1,
                "format": FORMAT,
                "store_id": store_id,
                "generation": 1,
                "master_version": version,
                "epoch": 1,
                "index_version": 0,
                "made_at": made_at,
            },
        )
        proof = Envelopes(masters, store_id).proof(version)
        connection.execute(
            insert(MASTERS), {"version": version, "proof": proof, "made_at": made_at}
        )
    return True


def _only_one(connection: Any) -> None:
    """Wait until no other process makes a keystore here."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
    else:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('timber_keystore'))")


def _checked_id(engine: Engine, masters: MasterKeys, where: str) -> bytes:
    """Return the id of the store, when its format and its master key are right."""
    with reading(engine) as connection:
        now = state(connection)
        if now.format != FORMAT:
            raise KeystoreError(
                f"the keystore at {where} has the format {now.format}, and this release knows "
                f"{FORMAT}: use the release that made it, or a newer one"
            )
        proof = connection.execute(
            select(MASTERS.c.proof).where(MASTERS.c.version == now.master_version)
        ).scalar_one_or_none()
    if proof is None:
        raise KeystoreError(f"the keystore at {where} is damaged: restore it from its backup")
    if not masters.read():
        raise MasterKeyError(
            f"there is no master key in {masters.where}, and without it the keystore at {where} "
            "cannot be opened: restore it from its backup"
        )
    store_id = bytes(now.store_id)
    Envelopes(masters, store_id).check(proof, master=now.master_version)
    return store_id


def _refuse_foreign(store_id: bytes, belongs_to: bytes | None, where: str) -> None:
    if belongs_to not in {None, store_id}:
        raise KeystoreError(
            f"the keystore at {where} is {store_id.hex()}, but the data of this database is "
            f"sealed with the keys of {(belongs_to or b'').hex()}: say in `keystore` where that "
            "one is"
        )
