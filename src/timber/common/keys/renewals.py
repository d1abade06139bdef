"""What the renewals of data keys and of blind indexes ask of a keystore."""

import json
from collections.abc import Collection, Iterator
from typing import Any, Final

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from timber.common.errors import KeystoreError
from timber.common.keys.envelopes import Place
from timber.common.keys.store import SqlKeystore
from timber.common.keys.tables import KEYS, SUBJECTS, WORK
from timber.common.keys.transactions import changed_state, in_parts, reading, state, writing

LAST_INDEX_VERSION: Final = 255
_AT_ONCE: Final = 400
"""How many keys a statement names; each takes two parameters."""


class Renewals:
    """Epochs of data keys, roots of indexes, and how far a renewal has come."""

    def __init__(self, *, store: SqlKeystore) -> None:
        self._store = store

    # ------------------------------------------------------------------ progress

    def progress(self, name: str) -> dict[str, Any] | None:
        """Return what was noted last of a renewal that is under way, or None if none is."""
        with reading(self._store.engine) as connection:
            found = connection.execute(
                select(WORK.c.progress).where(WORK.c.name == name)
            ).scalar_one_or_none()
        noted: dict[str, Any] | None = None if found is None else json.loads(found)
        return noted

    def note(self, name: str, progress: dict[str, Any]) -> None:
        """Note how far a renewal has come."""
        with writing(self._store.engine) as connection:
            maker: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
            written = {"progress": json.dumps(progress)}
            connection.execute(
                maker.insert(WORK)
                .values(name=name, **written)
                .on_conflict_do_update(index_elements=["name"], set_=written)
            )

    def end(self, name: str) -> None:
        """Note that a renewal is at its end."""
        with writing(self._store.engine) as connection:
            connection.execute(delete(WORK).where(WORK.c.name == name))

    # ------------------------------------------------------------------ data keys

    def begin_epoch(self) -> int:
        """Let every data key that there is be one that is to be renewed; return the new epoch."""
        with writing(self._store.engine) as connection:
            epoch = int(changed_state(connection).epoch) + 1
            changed_state(connection, epoch=epoch)
        return epoch

    def outdated_versions(self) -> Iterator[tuple[bytes, int]]:
        """Yield id and version of the data keys that have a newer version, in order."""
        last = (b"", 0)
        key = tuple_(KEYS.c.name, KEYS.c.version)
        query = (
            select(KEYS.c.name, KEYS.c.version)
            .join_from(KEYS, SUBJECTS, SUBJECTS.c.key_id == KEYS.c.name)
            .where(KEYS.c.kind == "data", KEYS.c.version < SUBJECTS.c.newest)
            .order_by(KEYS.c.name, KEYS.c.version)
            .limit(_AT_ONCE)
        )
        while True:
            with reading(self._store.engine) as connection:
                rows = connection.execute(query.where(key > last)).all()
            yield from ((name, version) for name, version in rows)
            if len(rows) < _AT_ONCE:
                return
            last = (rows[-1][0], rows[-1][1])

    def destroy(self, versions: Collection[tuple[bytes, int]]) -> int:
        """Destroy versions of data keys that are not the newest; return how many there were."""
        destroyed = 0
        older = select(SUBJECTS.c.newest).where(SUBJECTS.c.key_id == KEYS.c.name)
        for part in in_parts(sorted(versions), _AT_ONCE):
            with writing(self._store.engine) as connection:
                changed_state(connection)
                gone = connection.execute(
                    delete(KEYS)
                    .where(
                        KEYS.c.kind == "data",
                        # By themselves, too: for pairs in a list SQLite reads the whole table.
                        KEYS.c.name.in_([name for name, _ in part]),
                        tuple_(KEYS.c.name, KEYS.c.version).in_(part),
                        KEYS.c.version < older.scalar_subquery(),
                    )
                    .returning(KEYS.c.version)
                )
                destroyed += len(gone.all())
        return destroyed

    # ------------------------------------------------------------------ roots of indexes

    def next_index_version(self) -> int:
        """Return which version a new root would be of."""
        return self.index_version() % LAST_INDEX_VERSION + 1

    def add_index_key(self, version: int) -> None:
        """Make a root, for reading only so far; one that is there is taken."""
        with writing(self._store.engine) as connection:
            now = changed_state(connection)
            self._store.claim(connection, Place("index", b"", version), now)

    def write_with_index_key(self, version: int) -> None:
        """Let what is new be written with that root; the others go on to be read with."""
        with writing(self._store.engine) as connection:
            found = connection.execute(
                select(func.count())
                .select_from(KEYS)
                .where(KEYS.c.kind == "index", KEYS.c.version == version)
            ).scalar_one()
            if not found:
                raise KeystoreError(f"there is no root of indexes of version {version}")
            changed_state(connection, index_version=version)

    def drop_other_index_keys(self) -> int:
        """Destroy all roots but the one that is written with; return how many there were."""
        with writing(self._store.engine) as connection:
            written = changed_state(connection).index_version
            gone = connection.execute(
                delete(KEYS)
                .where(KEYS.c.kind == "index", KEYS.c.version != written)
                .returning(KEYS.c.version)
            )
            return len(gone.all())

    def index_version(self) -> int:
        """Return the version of the root that is written with; 0 if there is none yet."""
        with reading(self._store.engine) as connection:
            return int(state(connection).index_version)
