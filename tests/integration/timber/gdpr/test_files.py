"""What is in the files of a database when a certificate says that a person is erased."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.integration.timber.gdpr.conftest import settings_of
from tests.integration.timber.vector.hashing import Hashing

from timber.common.gdpr.files import IN_MEMORY, LOG_IN_USE, OVERWRITTEN, UNTIL_VACUUM
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


def planted(timber: Timber) -> None:
    timber.vector_ingestion.embedding_service = Hashing()
    timber.vector_search.embedding_service = timber.vector_ingestion.embedding_service
    user, note = timber.models.get("User"), timber.models.get("Note")
    for name, words in (("annabelle", "diabetes diagnosed"), ("bob", "hello world")):
        with timber.database.session_scope() as session:
            session.add(user(user_id=name, email=f"{name}@x", username=name))
            session.flush()
            session.add(note(id=f"{name}-0", author_id=name, body=words))
    timber.vector_ingestion.process_pending()


def bytes_of(folder: Path) -> bytes:
    """Return the data and all that SQLite keeps beside it."""
    return b"".join(one.read_bytes() for one in sorted(folder.glob("data.db*"))).lower()


def test_no_file_of_an_open_database_holds_words_of_the_erased(tmp_path: Path) -> None:
    with Timber().opened(settings_of(f"sqlite:///{tmp_path}/data.db", tmp_path)) as timber:
        planted(timber)
        before = bytes_of(tmp_path)
        assert all(word in before for word in (b"annabelle", b"diabet", b"hello"))

        certificate = timber.gdpr.erase("annabelle")

        after = bytes_of(tmp_path)
        assert [word for word in (b"annabelle", b"diabet", b"diagnos") if word in after] == []
        assert b"hello" in after
        assert certificate.facts["files"] == OVERWRITTEN
        assert timber.vector_search.search("hello", limit=5)


def test_an_audit_does_not_keep_the_log_from_being_emptied(tmp_path: Path) -> None:
    settings = settings_of(f"sqlite:///{tmp_path}/data.db", tmp_path)
    models = tmp_path / "models" / "models.yaml"
    before = models.read_text(encoding="utf-8")
    audited = "table_name: notes\n    audit: {enabled: true}"
    models.write_text(before.replace("table_name: notes", audited), encoding="utf-8")
    with Timber().opened(settings) as timber:
        planted(timber)

        certificate = timber.gdpr.erase("annabelle")

        after = bytes_of(tmp_path)
        assert [word for word in (b"annabelle", b"diabet", b"diagnos") if word in after] == []
        assert certificate.facts["files"] == OVERWRITTEN
        assert timber.audit.verify().is_intact


def test_a_reader_that_keeps_the_log_from_being_emptied_is_told_of(tmp_path: Path) -> None:
    with Timber().opened(settings_of(f"sqlite:///{tmp_path}/data.db", tmp_path)) as timber:
        planted(timber)
        with timber.database.engine.connect() as reader:
            reader.exec_driver_sql("BEGIN")
            reader.execute(text("SELECT count(*) FROM notes")).all()

            certificate = timber.gdpr.erase("annabelle")

        assert certificate.facts["files"] == LOG_IN_USE
        assert timber.gdpr.verify(certificate.as_json()) == certificate


def test_a_certificate_says_what_is_true_of_the_files(timber: Timber, database_url: str) -> None:
    planted(timber)

    said = timber.gdpr.erase("annabelle").facts["files"]

    if database_url.startswith("postgresql"):
        assert said == UNTIL_VACUUM
    else:
        assert said == (IN_MEMORY if ":memory:" in database_url else OVERWRITTEN)
