"""What keys a Timber opens, makes and refuses, by its settings."""

import base64
import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import inspect, make_url, text

from timber.common.errors import (
    ConfigurationError,
    KeystoreError,
    MasterKeyError,
    NotOpenError,
    SchemaMismatchError,
)
from timber.common.keys.master_text import read_keys
from timber.common.keys.places import key_places
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

MODELS = """
models:
  - name: Patient
    table_name: patients
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: diagnosis, type: Text}
    encryption:
      enabled: true
      fields: [diagnosis]
"""
PLAIN = MODELS.partition("    encryption:")[0]
KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(32)).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.joinpath("models").mkdir()
    tmp_path.joinpath("models", "models.yaml").write_text(MODELS, encoding="utf-8")
    return tmp_path


def settings(folder: Path, **given: Any) -> TimberSettings:
    return TimberSettings(
        **{
            "database_url": f"sqlite:///{folder}/app.db",
            "model_config_dirs": (folder / "models",),
            "packaged_models": False,
            **given,
        }
    )


def store_diagnosis(timber: Timber, key: str = "1") -> None:
    with timber.database.session_scope() as session:
        session.add(timber.models.get("Patient")(id=key, diagnosis="flu"))


def diagnosis(timber: Timber, key: str = "1") -> str:
    row: Any = timber.database.get(timber.models.get("Patient"), key)
    found: str = row.diagnosis
    return found


def test_in_development_keys_are_made_beside_the_database_with_one_warning(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), Timber().opened(settings(folder)) as timber:
        store_diagnosis(timber)
    with caplog.at_level(logging.WARNING), Timber().opened(settings(folder)) as timber:
        assert diagnosis(timber) == "flu"

    [warning] = caplog.records
    assert str(folder / "app.db.keys") in warning.getMessage()
    assert "Back them up, apart from the database" in warning.getMessage()
    made = {path.name for path in (folder / "app.db.keys").iterdir()}
    assert made == {"keystore.db", "master.key"}


def test_of_keys_in_one_folder_the_warning_says_what_a_copy_of_it_opens(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    apart = settings(
        folder,
        database_url=f"sqlite:///{folder}/apart.db",
        master_key_file=folder / "elsewhere" / "master.key",
    )

    with caplog.at_level(logging.WARNING):
        with Timber().opened(settings(folder)):
            pass
        with Timber().opened(apart):
            pass

    together, alone = (one.getMessage() for one in caplog.records)
    assert "Both lie in one folder" in together
    assert "TIMBER_MASTER_KEY_FILE" in together
    assert "one folder" not in alone


def test_for_a_database_that_is_refused_no_keys_are_made(folder: Path) -> None:
    folder.joinpath("models", "models.yaml").write_text(PLAIN, encoding="utf-8")
    with Timber().opened(settings(folder)):
        pass
    folder.joinpath("models", "models.yaml").write_text(MODELS, encoding="utf-8")

    with pytest.raises(SchemaMismatchError, match="has encrypted nothing"):
        Timber().open(settings(folder))

    assert not (folder / "app.db.keys").exists()
    folder.joinpath("models", "models.yaml").write_text(PLAIN, encoding="utf-8")
    with Timber().opened(settings(folder)) as timber, timber.database.engine.connect() as one:
        assert not inspect(one).has_table("timber_keys_bond")


def test_models_without_sealed_columns_need_no_keys(folder: Path) -> None:
    folder.joinpath("models", "models.yaml").write_text(PLAIN, encoding="utf-8")

    with Timber().opened(settings(folder, environment="production", enable_encryption=False)):
        pass

    assert not (folder / "app.db.keys").exists()


def test_keys_that_no_model_needs_are_made_when_they_are_asked_for(folder: Path) -> None:
    folder.joinpath("models", "models.yaml").write_text(PLAIN, encoding="utf-8")

    with Timber().opened(settings(folder)) as timber:
        first = timber.keys.store.secret("audit")
    with Timber().opened(settings(folder)) as timber:
        assert timber.keys.store.secret("audit") == first

    with pytest.raises(NotOpenError):
        _ = timber.keys.store


def test_in_production_nothing_is_made_and_the_cure_is_told(folder: Path) -> None:
    with pytest.raises(KeystoreError, match="timber keys init"):
        Timber().open(settings(folder, environment="production"))

    assert not (folder / "app.db.keys").exists()


def test_production_opens_what_was_made_before(folder: Path) -> None:
    with Timber().opened(settings(folder)) as timber:
        store_diagnosis(timber)

    with Timber().opened(settings(folder, environment="production")) as timber:
        assert diagnosis(timber) == "flu"


def test_encryption_cannot_be_off_while_a_model_needs_it(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"enable_encryption.*patients"):
        Timber().open(settings(folder, enable_encryption=False))

    assert not (folder / "app.db").exists()


def test_a_database_in_memory_has_its_keys_there(folder: Path) -> None:
    with Timber().opened(settings(folder, database_url="sqlite://")) as timber:
        store_diagnosis(timber)
        assert diagnosis(timber) == "flu"

    assert {path.name for path in folder.iterdir()} == {"models"}


def test_two_timbers_in_one_process_have_keys_of_their_own(folder: Path) -> None:
    other = settings(folder, database_url=f"sqlite:///{folder}/other.db")
    with Timber().opened(settings(folder)) as first, Timber().opened(other) as second:
        store_diagnosis(first)
        store_diagnosis(second)
        keys = {timber.keys.store.secret("audit") for timber in (first, second)}
        first.close()

        assert diagnosis(second) == "flu"
        assert len(keys) == 2
        with pytest.raises(NotOpenError):
            _ = first.keys.store


def test_the_keystore_of_another_database_is_refused_before_anything_is_written(
    folder: Path,
) -> None:
    with Timber().opened(settings(folder)) as timber:
        store_diagnosis(timber)
    with Timber().opened(settings(folder, database_url=f"sqlite:///{folder}/other.db")):
        pass
    before = (folder / "app.db").read_bytes()

    with pytest.raises(KeystoreError, match="sealed with the keys of"):
        Timber().open(settings(folder, keystore=str(folder / "other.db.keys")))

    assert (folder / "app.db").read_bytes() == before


def test_lost_keys_are_not_made_anew(folder: Path) -> None:
    with Timber().opened(settings(folder)) as timber:
        store_diagnosis(timber)
    (folder / "app.db.keys").rename(folder / "elsewhere")

    with pytest.raises(KeystoreError, match="restore it from its backup"):
        Timber().open(settings(folder))

    assert not (folder / "app.db.keys").exists()
    with Timber().opened(settings(folder, keystore=str(folder / "elsewhere"))) as timber:
        assert diagnosis(timber) == "flu"


def test_a_master_key_of_the_environment_opens_and_another_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMBER_MASTER_KEY", KEY)
    with Timber().opened(settings(folder)) as timber:
        store_diagnosis(timber)
    before = (folder / "app.db").read_bytes()
    assert {path.name for path in (folder / "app.db.keys").iterdir()} == {"keystore.db"}

    monkeypatch.setenv("TIMBER_MASTER_KEY", f"2:{KEY},1:{OTHER_KEY}")
    with pytest.raises(MasterKeyError, match="not the one of this keystore") as told:
        Timber().open(settings(folder))

    assert KEY not in str(told.value)
    assert (folder / "app.db").read_bytes() == before
    monkeypatch.setenv("TIMBER_MASTER_KEY", f"2:{OTHER_KEY},1:{KEY}")
    with Timber().opened(settings(folder)) as timber:
        assert diagnosis(timber) == "flu"


def test_the_master_key_may_lie_in_a_file_of_its_own(folder: Path) -> None:
    file = folder / "secrets" / "master.key"

    with Timber().opened(settings(folder, master_key_file=file)) as timber:
        store_diagnosis(timber)

    assert read_keys(file.read_text(), where="").keys() == {1}
    assert {path.name for path in (folder / "app.db.keys").iterdir()} == {"keystore.db"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("not base64!", "is not base64"),
        (base64.b64encode(bytes(16)).decode(), "has 16 bytes, not 32"),
        (f"x:{KEY}", "no version"),
        (f"0:{KEY}", "no version"),
        (f"1:{KEY},1:{OTHER_KEY}", "twice"),
        ("", "has no key of version 1"),
    ],
)
def test_a_master_key_that_cannot_be_used_is_told_without_it(
    folder: Path, written: str, said: str
) -> None:
    with pytest.raises(MasterKeyError, match=said) as told:
        Timber().open(settings(folder, master_key=written))

    assert KEY not in str(told.value)


def test_there_is_one_place_for_the_master_key(folder: Path) -> None:
    with pytest.raises(ValueError, match="not both"):
        settings(folder, master_key=KEY, master_key_file=folder / "key")


def test_settings_show_no_key(folder: Path) -> None:
    assert KEY not in repr(settings(folder, master_key=KEY))


def test_the_keys_of_postgresql_lie_below_the_users_data(folder: Path, tmp_path: Path) -> None:
    def place(url: str) -> Path:
        places = key_places(settings(folder, database_url=url), user_data=tmp_path / "share")
        assert places.file is not None
        return places.file

    first = place("postgresql://me:secret@one/app")

    assert first.parent.parent == tmp_path / "share" / "timber" / "keys"
    assert first.parent.name.startswith("app-")
    assert first == place("postgresql://you@one:5432/app")
    assert first != place("postgresql://me@two/app")
    assert "secret" not in str(first)


@pytest.mark.parametrize(
    ("keystore", "said"),
    [
        ("postgresql://one/app", "database of the data"),
        ("sqlite:///keys.db", "give a folder"),
        ("://", "not a URL"),
    ],
)
def test_a_keystore_that_is_no_place_of_its_own_is_refused(
    folder: Path, keystore: str, said: str
) -> None:
    url = make_url("postgresql://me:secret@one/app").render_as_string(hide_password=False)

    with pytest.raises(ConfigurationError, match=said) as told:
        key_places(settings(folder, database_url=url, keystore=keystore), user_data=folder)

    assert "secret" not in str(told.value)


def test_a_database_that_cannot_be_told_to_remember_its_keys_is_refused(folder: Path) -> None:
    with Timber().opened(settings(folder)) as timber, timber.database.engine.begin() as connection:
        connection.execute(text("DROP TABLE timber_keys_bond"))

    with pytest.raises(KeystoreError, match="timber keys init"):
        Timber().open(settings(folder, create_tables=False))


def test_a_master_key_is_a_secret_in_settings() -> None:
    assert isinstance(TimberSettings(master_key=SecretStr(KEY)).master_key, SecretStr)
