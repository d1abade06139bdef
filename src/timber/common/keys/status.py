"""How the keys of a Timber are, and what of it is overdue."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from timber.common.keys.envelopes import fingerprint
from timber.common.keys.master_rotation import MasterRotator
from timber.common.keys.opening import OpenKeys
from timber.common.keys.reindexing import PROGRESS as INDEXES
from timber.common.keys.renewals import Renewals
from timber.common.keys.resealing import PROGRESS as DATA
from timber.common.keys.tables import KEYS, MASTERS, SUBJECTS
from timber.common.keys.transactions import reading, state

_DAY: Final = 86_400
OLDEST_DAYS: Final = 365
"""How old a master key, or the root of indexes, may be before attention is drawn to it."""


@dataclass(frozen=True, kw_only=True)
class KeyStatus:
    """How keys are. Nothing in it is secret."""

    keystore: str
    """Where it is."""
    keystore_id: str
    master_key: str
    """Where it is."""
    master_version: int
    master_fingerprint: str
    """By which one tells which key it is, not what it is."""
    master_age_days: int
    generation: int
    subjects: int
    """How many have a key."""
    data_keys: int
    """How many versions of keys there are."""
    old_data_keys: int
    """How many of them have a newer version."""
    erased_subjects: int
    erased_since_master: int
    """How many were erased since the master key is in use."""
    index_versions: tuple[int, ...]
    """The roots of blind indexes, the one to write with first."""
    index_age_days: int
    unfinished: tuple[str, ...]
    """What was begun and is not at its end: `master`, `data` or `indexes`."""
    attention: tuple[str, ...]
    """What is overdue, each with what to do."""


def status_of(keys: OpenKeys, renewals: Renewals) -> KeyStatus:
    """Return how the keys are.

    Raises:
        KeystoreError: the keystore cannot be read.

    """
    store = keys.store
    unfinished = [name for name in (DATA, INDEXES) if renewals.progress(name) is not None]
    if MasterRotator(store=store, masters=keys.masters).is_unfinished:
        unfinished.insert(0, "master")
    with reading(store.engine) as connection:
        now = state(connection)
        master_since = connection.execute(
            select(MASTERS.c.made_at).where(MASTERS.c.version == now.master_version)
        ).scalar_one()
        facts = _facts(connection, master_since)
        roots = connection.execute(
            select(KEYS.c.version, KEYS.c.made_at).where(KEYS.c.kind == "index")
        ).all()
    written_since = next((at for one, at in roots if one == now.index_version), store.now())
    master = keys.masters.read().get(now.master_version, b"")
    found = KeyStatus(
        keystore=keys.where,
        keystore_id=keys.store_id.hex(),
        master_key=keys.masters.where,
        master_version=now.master_version,
        master_fingerprint=fingerprint(master),
        master_age_days=_days(store.now() - master_since),
        generation=now.generation,
        **facts,
        index_versions=tuple(
            sorted((one for one, _ in roots), key=lambda one: one != now.index_version)
        ),
        index_age_days=_days(store.now() - written_since),
        unfinished=tuple(unfinished),
        attention=(),
    )
    return KeyStatus(**{**vars(found), "attention": tuple(overdue(found))})


def overdue(found: KeyStatus) -> Iterator[str]:
    """Yield what is to be done, and why."""
    commands = {"master": "", "data": " --data", "indexes": " --indexes"}
    for name in found.unfinished:
        yield f"a renewal ({name}) was broken off: `timber keys rotate{commands[name]}` ends it"
    if found.erased_since_master:
        yield (
            f"{found.erased_since_master} were erased since the master key is in use: copies of "
            "the keystore from before still hold their keys; `timber keys rotate` makes these "
            "copies worthless"
        )
    if found.master_age_days > OLDEST_DAYS:
        yield f"the master key is {found.master_age_days} days old: `timber keys rotate`"
    if found.index_versions and found.index_age_days > OLDEST_DAYS:
        yield (
            f"the root of the indexes is {found.index_age_days} days old: "
            "`timber keys rotate --indexes`"
        )
    if found.old_data_keys:
        yield (
            f"{found.old_data_keys} old versions of data keys are kept: `timber keys retire` "
            "destroys those that nothing uses; backups of before cannot be read then"
        )


def _facts(connection: Connection, master_since: int) -> dict[str, int]:
    living = SUBJECTS.c.erased_at.is_(None)
    versions = select(func.count()).select_from(KEYS).where(KEYS.c.kind == "data")
    subjects = select(func.count()).select_from(SUBJECTS)
    queries = {
        "subjects": subjects.where(living),
        "data_keys": versions,
        "old_data_keys": versions.where(
            KEYS.c.name == SUBJECTS.c.key_id, KEYS.c.version < SUBJECTS.c.newest
        ),
        "erased_subjects": subjects.where(~living),
        "erased_since_master": subjects.where(SUBJECTS.c.erased_at >= master_since),
    }
    return {name: int(connection.execute(one).scalar_one()) for name, one in queries.items()}


def _days(seconds: int) -> int:
    return max(0, seconds // _DAY)
