"""Steps make, change and remove what finds rows by their meaning, and nothing goes unnoticed."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.integration.timber.vector.hashing import Hashing

from timber.common.clock import SystemClock
from timber.common.errors import SchemaMismatchError
from timber.common.migrations.migrator import Migrator
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration

NOTES = """
models:
  - name: Note
    table_name: notes
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: body, type: Text}
      - {name: topic, type: String(20)}
"""
FLAG = "    vector_search: {enabled: true, content_field: body}\n"
CHANGED = "    vector_search: {enabled: true, content_field: body, metadata_fields: [topic]}\n"


class Desk:
    """A database, models that change, and a folder of steps."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        (folder / "models").mkdir()

    def opened(self, models: str, *, create_tables: bool = False) -> Timber:
        (self.folder / "models" / "models.yaml").write_text(models, encoding="utf-8")
        timber = Timber()
        timber.open(
            TimberSettings(
                database_url=self.url,
                model_config_dirs=(self.folder / "models",),
                create_tables=create_tables,
                enable_auto_vector_ingestion=False,
            )
        )
        return timber

    def migrate(self, models: str) -> tuple[str, ...]:
        """Bring the database to the models, and return what that changed."""
        timber = self.opened(models)
        try:
            migrator = self.migrator(timber)
            plan = migrator.plan("a change")
            migrator.write(plan)
            migrator.apply(allow_data_loss=True)
            assert migrator.status().is_current
            return plan.changes
        finally:
            timber.close()

    def migrator(self, timber: Timber) -> Migrator:
        return Migrator(
            engine=timber.database.engine,
            metadata=timber.base.metadata,
            folder=self.folder / "steps",
            clock=SystemClock(),
        )

    def waiting(self, timber: Timber) -> list[str]:
        with timber.database.engine.connect() as connection:
            statement = text("SELECT source_id FROM vector_outbox ORDER BY number")
            return list(dict.fromkeys(connection.scalars(statement)))

    def add(self, timber: Timber, key: int) -> None:
        with timber.database.session_scope() as session:
            session.add(timber.models.get("Note")(id=key, body="word"))


@pytest.fixture(params=["file", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    url = f"sqlite:///{tmp_path}/notes.db"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
    return Desk(url, tmp_path)


def test_steps_follow_the_flag_there_and_back(desk: Desk) -> None:
    desk.migrate(NOTES)
    timber = desk.opened(NOTES, create_tables=True)
    desk.add(timber, 1)
    assert desk.waiting(timber) == []
    timber.close()

    on = desk.migrate(NOTES + FLAG)
    timber = desk.opened(NOTES + FLAG, create_tables=True)
    assert desk.waiting(timber) == ["1"]  # what was there is read
    desk.add(timber, 2)
    assert desk.waiting(timber) == ["1", "2"]
    timber.close()
    desk.migrate(NOTES + CHANGED)
    off = desk.migrate(NOTES)

    assert on == ("find the rows of notes by their meaning, and read those that are there",)
    assert off == ("find the rows of notes by their meaning no more, and forget their vectors",)
    timber = desk.opened(NOTES, create_tables=True)
    assert desk.waiting(timber) == []
    migrator = desk.migrator(timber)
    migrator.roll_back()
    assert desk.waiting(timber) == ["1", "2"]  # found again, as the step before had it
    for _ in range(3):
        migrator.roll_back(allow_data_loss=True)
    timber.close()


def test_a_table_that_is_copied_keeps_its_triggers(desk: Desk) -> None:
    desk.migrate(NOTES + FLAG)

    desk.migrate(NOTES.replace("String(20)", "Text") + FLAG)

    timber = desk.opened(NOTES.replace("String(20)", "Text") + FLAG, create_tables=True)
    desk.add(timber, 1)
    assert desk.waiting(timber) == ["1"]
    timber.close()


def test_a_trigger_that_is_missing_is_told_when_the_database_is_opened(desk: Desk) -> None:
    desk.migrate(NOTES)

    with pytest.raises(SchemaMismatchError, match="what finds the rows of notes by their meaning"):
        desk.opened(NOTES + FLAG, create_tables=True)


def test_vectors_from_before_get_their_metadata_beside_them(
    postgresql_url: str, tmp_path: Path
) -> None:
    desk = Desk(postgresql_url, tmp_path)
    desk.migrate(NOTES + FLAG)
    timber = desk.opened(NOTES + FLAG, create_tables=True)
    timber.vector_ingestion.embedding_service = Hashing()
    timber.vector_ingestion.ingest_document("one", "news", "1", metadata={"year": 2020})
    with timber.database.engine.begin() as connection:
        for statement in (
            "DROP FUNCTION timber_vector_metadata_comes, timber_vector_metadata_changes CASCADE",
            "ALTER TABLE vector_embeddings DROP COLUMN source_type, DROP COLUMN attributes",
        ):
            connection.execute(text(statement))
    timber.close()
    with pytest.raises(SchemaMismatchError, match="the metadata beside vectors"):
        desk.opened(NOTES + FLAG, create_tables=True)

    changes = desk.migrate(NOTES + FLAG)

    assert len(changes) == 1
    timber = desk.opened(NOTES + FLAG)
    timber.vector_search.embedding_service = Hashing()
    with timber.database.engine.connect() as connection:
        beside = connection.execute(text("SELECT source_type, attributes FROM vector_embeddings"))
        assert beside.all() == [("news", {"year": 2020})]
    found = timber.vector_search.search("one", "news", filters={"year": 2020})
    assert [one["source_id"] for one in found] == ["1"]
    timber.close()


def test_vectors_from_before_are_told_from_new_ones(postgresql_url: str, tmp_path: Path) -> None:
    desk = Desk(postgresql_url, tmp_path)
    desk.migrate(NOTES + FLAG)
    timber = desk.opened(NOTES + FLAG, create_tables=True)
    timber.vector_ingestion.embedding_service = Hashing()
    timber.vector_ingestion.ingest_document("one", "news", "1")
    with timber.database.engine.begin() as connection:
        connection.execute(text("DROP FUNCTION timber_vector_written_by CASCADE"))
        connection.execute(text("ALTER TABLE vector_embeddings DROP COLUMN written_by"))
    timber.close()
    with pytest.raises(SchemaMismatchError, match="what tells new vectors"):
        desk.opened(NOTES + FLAG, create_tables=True)

    changes = desk.migrate(NOTES + FLAG)

    assert len(changes) == 1
    timber = desk.opened(NOTES + FLAG)
    timber.vector_ingestion.embedding_service = Hashing()
    timber.vector_ingestion.ingest_document("two", "news", "2")
    with timber.database.engine.connect() as connection:
        written = connection.execute(
            text("SELECT written_by IS NULL FROM vector_embeddings ORDER BY chunk_id")
        )
        assert written.scalars().all() == [True, False]
    timber.close()
