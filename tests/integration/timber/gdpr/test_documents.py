"""Documents name their owner, who may have no row: erased all the same, and found again."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from tests.integration.timber.gdpr.conftest import naming, settings_of, stored
from tests.integration.timber.vector.hashing import Hashing

from timber.common.errors import RecordNotFoundError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


def register(timber: Timber, name: str) -> None:
    with timber.database.session_scope() as session:
        session.add(timber.models.get("User")(user_id=name, email=f"{name}@x", username=name))


def forget_row(timber: Timber, name: str) -> None:
    """Delete the row of a user as somebody does who knows nothing of documents."""
    users = timber.base.metadata.tables["users"]
    with timber.database.engine.begin() as connection:
        connection.execute(delete(users).where(users.c.user_id == name))


def store(timber: Timber, name: str) -> None:
    timber.vector_ingestion.embedding_service = Hashing()
    timber.vector_ingestion.ingest_document("a secret", "documents", f"of-{name}", owner=name)


def test_who_has_nothing_but_documents_is_erased(timber: Timber) -> None:
    store(timber, "ann")
    store(timber, "bob")

    certificate = timber.gdpr.erase("ann")

    assert certificate.facts["texts"] == 1
    after = stored(timber)
    assert naming(after, "ann") == {}
    assert naming(after, "bob") == {"vector_chunks": 1, "vector_partitions": 1}


def test_a_document_that_came_after_the_erasure_goes_with_another(timber: Timber) -> None:
    register(timber, "ann")
    first = timber.gdpr.erase("ann")
    store(timber, "ann")

    second = timber.gdpr.erase("ann")

    assert (first.facts["texts"], second.facts["texts"]) == (0, 1)
    assert naming(stored(timber), "ann") == {}
    assert timber.gdpr.erase("ann") == second


def test_all_owners_of_documents_are_looked_for_when_everything_is(timber: Timber) -> None:
    register(timber, "ann")
    timber.gdpr.erase("ann")
    store(timber, "ann")
    store(timber, "bob")

    assert timber.gdpr.replay(everything=True).repeated == 1

    assert set(naming(stored(timber), "ann")) == set()
    assert naming(stored(timber), "bob")
    with pytest.raises(RecordNotFoundError):
        timber.gdpr.erase("cid")


def test_documents_in_a_backup_are_erased_again_though_nobody_has_a_row(tmp_path: Path) -> None:
    data, backup = tmp_path / "data.db", tmp_path / "backup.db"
    settings = settings_of(f"sqlite:///{data}", tmp_path)
    with Timber().opened(settings) as timber:
        register(timber, "ann")
        store(timber, "ann")
        forget_row(timber, "ann")
    shutil.copy(data, backup)
    with Timber().opened(settings) as timber:
        timber.gdpr.erase("ann")
    shutil.copy(backup, data)

    with Timber().opened(settings) as timber:
        assert timber.gdpr.replayed.repeated == 1
        chunks = timber.base.metadata.tables["vector_chunks"]
        with timber.database.engine.connect() as connection:
            assert connection.execute(select(chunks)).all() == []
