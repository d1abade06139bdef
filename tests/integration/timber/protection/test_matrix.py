"""Every way of writing, and every flag of a model: the table of what each makes of the other.

A way that is not in the table, or a flag, fails the tests at the end.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import pytest
from sqlalchemy import delete, func, insert, literal, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import UpdateBase

from timber.common.database.service import DatabaseService
from timber.common.database.session import TimberSession
from timber.common.errors import ConstraintError, EncryptionError
from timber.common.runtime import _BACKENDS, Timber
from timber.common.settings import TimberSettings

# What is observed of a way of writing is observed once, by who has the Timber of it.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("matrix")]

MODELS = """
models:
  - name: Person
    table_name: people
    columns:
      - {name: id, type: String(36), primary_key: true}
    gdpr: {enabled: true, subject: true}
  - name: Letter
    table_name: letters
    columns:
      - {name: id, type: String(80), primary_key: true}
      - {name: person_id, type: String(36), foreign_key: people.id, nullable: false}
      - {name: title, type: Text}
      - {name: body, type: Text}
      - {name: written_at, type: DateTime}
    encryption: {enabled: true, fields: [{name: body, searchable: true}]}
    audit: {enabled: true}
    gdpr: {enabled: true}
    caching: {enabled: true}
    vector_search: {enabled: true, content_field: title}
    retention: {enabled: true, after: 30 days, since: written_at}
"""
LONG_AGO = datetime(2001, 2, 3, tzinfo=UTC)
Write = Callable[[Timber, str], object]


class Cells(NamedTuple):
    """What becomes of a row in what each flag keeps, or does."""

    encryption: str
    audit: str
    gdpr: str
    caching: str
    vector_search: str
    retention: str


WRITTEN = Cells("sealed", "told", "exported", "fresh", "found", "taken")
REFUSED = Cells("refused", "untold", "as before", "as before", "as before", "taken as before")
DELETED = Cells("gone", "told", "gone", "gone", "gone", "gone")


def row(key: str) -> dict[str, Any]:
    return {
        "id": key,
        "person_id": "ann",
        "title": f"fresh{key}",
        "body": f"canary {key}",
        "written_at": LONG_AGO,
    }


def changes(key: str) -> dict[str, Any]:
    return {name: row(key)[name] for name in ("title", "body")}


def orm(work: Callable[[Any, Any, str], object]) -> Write:
    def write(timber: Timber, key: str) -> None:
        with timber.database.session_scope() as session:
            work(session, timber.models.get("Letter"), key)

    return write


def core(work: Callable[[Any, Any, str], object]) -> Write:
    def write(timber: Timber, key: str) -> None:
        with timber.database.engine.begin() as connection:
            work(connection, timber.models.get("Letter").__table__, key)

    return write


def changed(session: Any, letter: Any, key: str) -> None:
    found = session.get(letter, key)
    for name, value in changes(key).items():
        setattr(found, name, value)


def upserted(connection: Any, table: Any, key: str) -> None:
    maker: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    made = maker.insert(table).values(row(key))
    names = ("title", "body", "person_id")
    connection.execute(
        made.on_conflict_do_update(
            index_elements=["id"], set_={name: made.excluded[name] for name in names}
        )
    )


def in_async_session(timber: Timber, key: str) -> None:
    async def write() -> None:
        async with timber.database.async_session_scope() as session:
            session.add(timber.models.get("Letter")(**row(key)))

    asyncio.run(write())


def in_autocommit(timber: Timber, key: str) -> None:
    with timber.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        table = timber.models.get("Letter").__table__
        connection.execute(update(table).where(table.c.id == key).values(changes(key)))


RAW: Final = "UPDATE letters SET title = :title, body = CAST(:body AS {}) WHERE id = :key"


def in_raw_sql(connection: Any, _table: Any, key: str) -> None:
    kind = "BLOB" if connection.dialect.name == "sqlite" else "BYTEA"
    body = f"canary {key}".encode() * 9
    connection.execute(text(RAW.format(kind)), {"title": f"fresh{key}", "body": body, "key": key})


def aliased_update(connection: Any, table: Any, key: str) -> None:
    other = table.alias()
    connection.execute(update(other).where(other.c.id == key).values(changes(key)))


def from_select(connection: Any, table: Any, key: str) -> None:
    names = ["id", "person_id", "body"]
    source = select(literal(f"2{key}"), table.c.person_id, table.c.body).where(table.c.id == key)
    connection.execute(insert(table).from_select(names, source))


def replaced(connection: Any, table: Any, key: str) -> None:
    """Store by REPLACE, where there is one, and else by what it stands for."""
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table).prefix_with("OR REPLACE"), row(key))
    else:
        connection.execute(delete(table).where(table.c.id == key))
        connection.execute(insert(table), row(key))


NEW: Mapping[str, tuple[Write, Cells]] = {
    "add": (orm(lambda s, letter, key: s.add(letter(**row(key)))), WRITTEN),
    "add_all": (orm(lambda s, letter, key: s.add_all([letter(**row(key))])), WRITTEN),
    "merge": (orm(lambda s, letter, key: s.merge(letter(**row(key)))), WRITTEN),
    "merge_all": (orm(lambda s, letter, key: s.merge_all([letter(**row(key))])), WRITTEN),
    "bulk_save_objects": (
        orm(lambda s, letter, key: s.bulk_save_objects([letter(**row(key))])),
        WRITTEN,
    ),
    "bulk_insert_mappings": (
        orm(lambda s, letter, key: s.bulk_insert_mappings(letter, [row(key)])),
        WRITTEN,
    ),
    "insert by the ORM": (
        orm(lambda s, letter, key: s.execute(insert(letter), [row(key)])),
        WRITTEN,
    ),
    "insert by Core": (core(lambda c, table, key: c.execute(insert(table), row(key))), WRITTEN),
    "insert with values": (
        core(lambda c, table, key: c.execute(insert(table).values([row(key)]))),
        WRITTEN,
    ),
    "bulk_insert, which is COPY": (
        lambda timber, key: timber.database.bulk_insert(timber.models.get("Letter"), [row(key)]),
        WRITTEN,
    ),
    "bulk_insert into the table": (
        lambda timber, key: timber.database.bulk_insert(
            timber.models.get("Letter").__table__, [row(key)]
        ),
        WRITTEN,
    ),
    "an async session": (in_async_session, WRITTEN),
    "upsert of a new row": (core(upserted), WRITTEN),
}
"""Ways that store a row."""

CHANGED: Mapping[str, tuple[Write, Cells]] = {
    "a changed attribute": (orm(changed), WRITTEN),
    "merge of a stored row": (orm(lambda s, letter, key: s.merge(letter(**row(key)))), WRITTEN),
    "bulk_update_mappings": (
        orm(lambda s, letter, key: s.bulk_update_mappings(letter, [{"id": key, **changes(key)}])),
        WRITTEN,
    ),
    "update by the ORM": (
        orm(
            lambda s, letter, key: s.execute(
                update(letter).where(letter.id == key).values(changes(key))
            )
        ),
        WRITTEN,
    ),
    "update by Query": (
        orm(lambda s, letter, key: s.query(letter).filter(letter.id == key).update(changes(key))),
        WRITTEN,
    ),
    "update by Core": (
        core(
            lambda c, table, key: c.execute(
                update(table).where(table.c.id == key).values(changes(key))
            )
        ),
        WRITTEN,
    ),
    "upsert of a stored row": (core(upserted), WRITTEN),
    "replace": (core(replaced), WRITTEN),
    "update of many rows": (
        core(
            lambda c, table, key: c.execute(
                update(table).where(table.c.title == f"plain{key}").values(changes(key))
            )
        ),
        REFUSED,
    ),
    "update to SQL": (
        core(
            lambda c, table, key: c.execute(
                update(table)
                .where(table.c.id == key)
                .values(title=f"fresh{key}", body=func.lower(f"canary {key}"))
            )
        ),
        REFUSED,
    ),
    "update of an alias": (core(aliased_update), REFUSED),
    "insert from a select": (core(from_select), REFUSED),
    "AUTOCOMMIT": (in_autocommit, REFUSED),
    "raw SQL": (core(in_raw_sql), REFUSED),
    "session.delete": (orm(lambda s, letter, key: s.delete(s.get(letter, key))), DELETED),
    "delete_all": (orm(lambda s, letter, key: s.delete_all([s.get(letter, key)])), DELETED),
    "hard_delete": (orm(lambda s, letter, key: s.hard_delete(s.get(letter, key))), DELETED),
    "delete by Query": (
        orm(lambda s, letter, key: s.query(letter).filter(letter.id == key).delete()),
        DELETED,
    ),
    "delete by Core": (
        core(lambda c, table, key: c.execute(delete(table).where(table.c.id == key))),
        DELETED,
    ),
    "delete in raw SQL": (
        core(lambda c, _, key: c.execute(text("DELETE FROM letters WHERE id = :k"), {"k": key})),
        DELETED,
    ),
}
"""Ways that meet a row that is there."""

MATRIX: Mapping[str, tuple[Write, Cells]] = MappingProxyType({**NEW, **CHANGED})


class Observer:
    """Writes on one way after the other, and tells what became of it; once for each."""

    def __init__(self, timber: Timber) -> None:
        self._timber = timber
        self._letter: Any = timber.models.get("Letter")
        self._told: dict[str, Cells] = {}

    def cells(self, way: str) -> Cells:
        if way not in self._told:
            self._told[way] = self._observed(way, f"k{list(MATRIX).index(way)}")
        return self._told[way]

    def _observed(self, way: str, key: str) -> Cells:
        timber, there = self._timber, way in CHANGED
        if there:
            plain = {"title": f"plain{key}", "body": f"plain {key}"}
            with timber.database.session_scope() as session:
                session.add(self._letter(**{**row(key), **plain}))
            timber.vector_ingestion.process_pending()
        assert (self._cached(key) == f"plain {key}") == there
        entries = self._entries(key)
        refused = self._refused(way, key)
        timber.vector_ingestion.process_pending()
        found = Cells(
            encryption=self._encryption(key, refused),
            audit="told" if self._entries(key) > entries else "untold",
            gdpr=_word(self._exported(key), key, "exported"),
            caching=_word(self._cached(key), key, "fresh"),
            vector_search=_word(self._found(key), key, "found"),
            retention="",
        )
        was_there = self._stored(key) is not None
        timber.retention.run()
        assert self._stored(key) is None, "what is old enough goes, however it was written"
        taken = ("taken as before" if refused else "taken") if was_there else "gone"
        return found._replace(retention=taken)

    def _refused(self, way: str, key: str) -> bool:
        """Write, and tell whether that was refused, without a word of what was to be written."""
        write, expected = MATRIX[way]
        if expected is not REFUSED:
            write(self._timber, key)
            return False
        with pytest.raises((EncryptionError, ConstraintError)) as caught:
            write(self._timber, key)
        error = caught.value
        assert "canary" not in f"{error}{error.__cause__}{error.__context__!r}"
        return True

    def _stored(self, key: str) -> bytes | None:
        with self._timber.database.engine.connect() as connection:
            query = text("SELECT body FROM letters WHERE id = :key")
            found = connection.execute(query, {"key": key}).scalar()
        return None if found is None else bytes(found)

    def _encryption(self, key: str, refused: bool) -> str:
        stored = self._stored(key)
        if stored is None:
            return "gone"
        with self._timber.database.session_scope() as session:
            body = session.scalars(select(self._letter).where(self._letter.id == key)).one().body
            equal = select(self._letter).where(self._letter.body == body)
            is_found = session.scalars(equal).one().id == key
        if refused:
            return "refused" if body == f"plain {key}" else "open"
        is_sealed = stored.startswith(b"T\x01") and b"canary" not in stored
        return "sealed" if is_sealed and is_found and body == f"canary {key}" else "open"

    def _entries(self, key: str) -> int:
        found = sum(1 for _ in self._timber.audit.log(table="letters", key=(key,)))
        assert self._timber.audit.verify().is_intact
        return found

    def _exported(self, key: str) -> str | None:
        rows = self._timber.gdpr.export("ann", model="Person")
        bodies = [one.values["body"] for one in rows if one.values.get("id") == key]
        return bodies[0] if bodies else None

    def _cached(self, key: str) -> str | None:
        self._timber.database.get(self._letter, key)  # puts it there
        found: Any = self._timber.database.get(self._letter, key)
        return None if found is None else str(found.body)

    def _found(self, key: str) -> str | None:
        for word, body in ((f"fresh{key}", f"canary {key}"), (f"plain{key}", f"plain {key}")):
            results = self._timber.vector_search.search(word, weights={"text": 1})
            if any(str(one["source_id"]) == key for one in results):
                return body
        return None


def _word(body: str | None, key: str, fresh: str) -> str:
    return {None: "gone", f"canary {key}": fresh}.get(body, "as before")


@pytest.fixture(scope="module", params=["file", "postgresql"])
def observer(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Observer]:
    folder: Path = tmp_path_factory.mktemp("matrix")
    (folder / "models").mkdir()
    (folder / "models" / "models.yaml").write_text(MODELS, encoding="utf-8")
    url = f"sqlite:///{folder}/app.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_module_url")
    settings = TimberSettings(
        database_url=url,
        model_config_dirs=(folder / "models",),
        packaged_models=False,
        keystore=str(folder / "keys"),
        redis_url=request.getfixturevalue("redis_url"),
        embedder="none",
        enable_auto_vector_ingestion=False,
    )
    with Timber().opened(settings) as timber:
        with timber.database.session_scope() as session:
            session.add(timber.models.get("Person")(id="ann"))
        yield Observer(timber)


@pytest.mark.parametrize("flag", Cells._fields)
@pytest.mark.parametrize("way", MATRIX)
def test_every_way_of_writing_keeps_what_every_flag_promises(
    observer: Observer, way: str, flag: str
) -> None:
    assert getattr(observer.cells(way), flag) == getattr(MATRIX[way][1], flag)


# ---------------------------------------------------------------------- nothing is left out


def test_every_flag_has_a_column() -> None:
    assert set(Cells._fields) == _BACKENDS


SESSION = (
    """add add_all bulk_insert_mappings bulk_save_objects bulk_update_mappings connection
    connection_callable delete delete_all execute flush hard_delete merge merge_all query restore
    scalar scalars""",
    """begin begin_nested bind_mapper bind_table close commit deleted dirty dispatch
    enable_relationship_loading execution_options expire expire_all expunge expunge_all get
    get_bind get_nested_transaction get_one get_transaction identity_key in_nested_transaction
    in_transaction info invalidate is_active is_modified new no_autoflush object_session prepare
    refresh reset rollback""",
)
DATABASE = (
    """async_bulk_insert async_session_scope bulk_insert call engine run run_sync session
    session_scope""",
    """async_get async_health async_stream check_connection close get health open read_through
    sessions_made_by stream""",
)
NAMES: Mapping[type[Any], tuple[str, str]] = MappingProxyType(
    {TimberSession: SESSION, DatabaseService: DATABASE}
)
"""What writes, or gives what does, and so goes through the table; and what does not."""


@pytest.mark.parametrize("kind", NAMES, ids=lambda kind: kind.__name__)
def test_every_public_name_is_known_to_write_or_not(kind: type[Any]) -> None:
    writing, reading = (set(names.split()) for names in NAMES[kind])

    assert {name for name in dir(kind) if not name.startswith("_")} == writing | reading


def test_every_kind_of_statement_that_writes_is_in_the_table() -> None:
    def kinds(above: type[Any]) -> Iterator[type[Any]]:
        for one in above.__subclasses__():
            yield one
            yield from kinds(one)

    ours = ("sqlalchemy.sql.", "sqlalchemy.dialects.sqlite.", "sqlalchemy.dialects.postgresql.")
    known = (one for one in kinds(UpdateBase) if one.__module__.startswith(ours))
    # SQLAlchemy makes one more of each, with notes, when the ORM uses it first.
    found = {one.__name__.removeprefix("Annotated") for one in known}
    returning = {"ReturningDelete", "ReturningInsert", "ReturningUpdate"}
    assert found == {"Delete", "Insert", "Update", "ValuesBase"} | returning
