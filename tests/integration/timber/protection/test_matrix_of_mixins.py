"""Every way of writing, and every mixin of a model: what stamps, versions and deletion become.

The ways are those of the table of flags, and a way or a mixin without a cell fails here, too.
Each is tried on models in clear and on sealed ones, which refuse some ways.
"""

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import pytest
from sqlalchemy import select, text
from tests.integration.timber.conftest import SteppingClock
from tests.integration.timber.protection.test_matrix import (
    CHANGED,
    MATRIX,
    NEW,
    REFUSED,
    Write,
    core,
    orm,
    row,
)

from timber.common.errors import ConflictError, EncryptionError, MissingValueError
from timber.common.modeling.mixins import MIXINS
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.testing.postgresql import PostgresqlServer

# What is observed of a way of writing is observed once, by who has the Timber of it.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("matrix of mixins")]

MODELS: Final = """
models:
  - name: Person
    table_name: people
    columns:
      - {name: id, type: String(36), primary_key: true}
    gdpr: {enabled: true, subject: true}
  - name: Letter
    table_name: letters
    mixins: [TimestampMixin, SoftDeleteMixin, OptimisticLockMixin]
    columns:
      - {name: id, type: String(80), primary_key: true}
      - {name: person_id, type: String(36), foreign_key: people.id, nullable: false}
      - {name: title, type: Text}
      - {name: body, type: Text}
      - {name: written_at, type: DateTime}
    gdpr: {enabled: true}
"""
SEALED: Final = "    encryption: {enabled: true, fields: [body]}"
SHOWN: Final = {"include_deleted": True}


class Cells(NamedTuple):
    """What becomes of a row in what each mixin keeps."""

    TimestampMixin: str
    SoftDeleteMixin: str
    OptimisticLockMixin: str


BORN = Cells("born", "alive", "first")
MOVED = Cells("moved", "alive", "a conflict for others")
HIDDEN = Cells("moved", "hidden", "a conflict for others")
GONE = Cells("gone", "gone", "a conflict for others")
AS_BEFORE = Cells("as before", "alive", "as before")
AS_SAID = AS_BEFORE
"""SQL that is written out moves nothing, as the guide to databases says."""


def restored(session: Any, letter: Any, key: str) -> None:
    session.delete(session.get(letter, key))
    session.flush()
    session.restore(session.get(letter, key, execution_options=SHOWN))


def in_raw_sql(connection: Any, _table: Any, key: str) -> None:
    values = {"title": f"fresh{key}", "key": key}
    connection.execute(text("UPDATE letters SET title = :title WHERE id = :key"), values)


OWN: Mapping[str, Write] = MappingProxyType(
    {"restore": orm(restored), "raw SQL": core(in_raw_sql)}
)
"""Ways beside those of the table of flags, and one that leaves alone here what is sealed."""

_MOVING: Final = (
    "a changed attribute",
    "merge of a stored row",
    "update by the ORM",
    "update by Query",
    "update by Core",
    "upsert of a stored row",
    "update of many rows",
    "update to SQL",
    "update of an alias",
    "AUTOCOMMIT",
    "restore",
)
_HIDING: Final = ("session.delete", "delete_all", "delete by Query")
_REMOVING: Final = ("hard_delete", "delete by Core", "delete in raw SQL")

TABLE: Mapping[str, Cells] = MappingProxyType(
    {
        **dict.fromkeys(NEW, BORN),
        **dict.fromkeys(_MOVING, MOVED),
        **dict.fromkeys(_HIDING, HIDDEN),
        **dict.fromkeys(_REMOVING, GONE),
        "bulk_update_mappings": AS_BEFORE,  # refused: it does not say what version it is about
        "insert from a select": AS_BEFORE,  # the row that it reads; for the other see below
        "replace": BORN,  # a row that goes, and another that begins with its key
        "raw SQL": AS_SAID,
    }
)
WITHOUT_VERSION: Final = ("bulk_update_mappings",)


class Observer:
    """Writes on one way after the other, and tells what became of the row."""

    def __init__(self, timber: Timber, *, is_sealed: bool) -> None:
        self.timber = timber
        self.is_sealed = is_sealed
        self.key = ""
        self._numbers = itertools.count()
        self._letter: Any = timber.models.get("Letter")

    def expected(self, way: str) -> Cells:
        return AS_BEFORE if self._error(way) else TABLE[way]

    def cells(self, way: str) -> Cells:
        self.key = key = f"m{next(self._numbers)}"  # not those of the canary
        before = None
        if way not in NEW:
            with self.timber.database.session_scope() as session:
                plain = {"title": f"plain{key}", "body": f"plain {key}"}
                session.add(self._letter(**{**row(key), **plain}))
            before = self.stored(key)
        self._write(way, key)
        after = self.stored(key)
        if after is None:
            return Cells("gone", "gone", self._lock(before, after))
        return Cells(
            TimestampMixin=_stamps(before, after),
            SoftDeleteMixin="hidden" if self._is_hidden(key) else "alive",
            OptimisticLockMixin=self._lock(before, after),
        )

    def stored(self, key: str) -> Any:
        with self.timber.database.session_scope() as session:
            query = select(self._letter).where(self._letter.id == key)
            found = session.scalars(query, execution_options=SHOWN).one_or_none()
            if found is not None:
                session.refresh(found)
            return found

    def _error(self, way: str) -> type[Exception] | None:
        if way in WITHOUT_VERSION:
            return MissingValueError
        if self.is_sealed and way not in OWN and MATRIX[way][1] is REFUSED:
            return EncryptionError
        return None

    def _write(self, way: str, key: str) -> None:
        write = OWN[way] if way in OWN else MATRIX[way][0]
        if (error := self._error(way)) is None:
            write(self.timber, key)
            return
        with pytest.raises(error):
            write(self.timber, key)

    def _is_hidden(self, key: str) -> bool:
        with self.timber.database.session_scope() as session:
            query = select(self._letter).where(self._letter.id == key)
            return session.scalars(query).one_or_none() is None

    def _lock(self, before: Any, after: Any) -> str:
        """Tell what who read the row before meets when he writes it now."""
        if before is None or (after is not None and after.created_at != before.created_at):
            assert after.version == 1
            return "first"
        before.written_at = None
        try:
            with self.timber.database.session_scope() as session:
                session.add(before)
        except ConflictError:
            return "a conflict for others"
        return "as before"


def _stamps(before: Any, after: Any) -> str:
    if before is None or after.created_at != before.created_at:
        return "born" if after.created_at == after.updated_at else "open"
    return "moved" if after.updated_at > before.updated_at else "as before"


@pytest.fixture(scope="module", params=itertools.product(("file", "postgresql"), (False, True)))
def observer(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgresql_server: PostgresqlServer,
) -> Iterator[Observer]:
    kind, is_sealed = request.param
    folder: Path = tmp_path_factory.mktemp("matrix")
    (folder / "models.yaml").write_text(MODELS + SEALED * is_sealed, encoding="utf-8")
    with contextlib.ExitStack() as closing:
        settings = TimberSettings(
            database_url=f"sqlite:///{folder}/app.db"
            if kind == "file"
            else closing.enter_context(postgresql_server.database()),
            model_config_dirs=(folder,),
            packaged_models=False,
            keystore=str(folder / "keys"),
            enable_auto_vector_ingestion=False,
        )
        timber = closing.enter_context(Timber(clock=SteppingClock()).opened(settings))
        with timber.database.session_scope() as session:
            session.add(timber.models.get("Person")(id="ann"))
        yield Observer(timber, is_sealed=is_sealed)


@pytest.mark.parametrize("way", TABLE)
def test_every_way_of_writing_keeps_what_every_mixin_promises(
    observer: Observer, way: str
) -> None:
    assert observer.cells(way) == observer.expected(way)


def test_a_row_that_is_made_of_another_in_the_database_is_born_like_any_other(
    observer: Observer,
) -> None:
    observer.cells("insert from a select")

    made = observer.stored(f"2{observer.key}")

    if observer.is_sealed:
        assert made is None
    else:
        assert (made.created_at, made.version, made.deleted_at) == (made.updated_at, 1, None)


# ---------------------------------------------------------------------- nothing is left out


def test_every_way_of_the_table_of_flags_has_cells_here() -> None:
    assert set(TABLE) == {*MATRIX, *OWN}
    assert {*_MOVING, *_HIDING, *_REMOVING} <= {*CHANGED, *OWN}


def test_every_mixin_has_a_column() -> None:
    assert set(Cells._fields) == set(MIXINS)
