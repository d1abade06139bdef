"""What the fixed names of the process-wide Timber promise."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from timber.common import initialize_timber, shutdown_timber
from timber.common.errors import AlreadyOpenError, ConfigurationError, NotOpenError
from timber.common.models import Base, get_model
from timber.common.runtime import default_timber
from timber.common.services.db_service import db_service
from timber.common.services.persistence import (
    notification_service,
    persistence_manager,
    session_service,
    tracker_service,
)
from timber.common.settings import TimberSettings, load_settings
from timber.common.utils.config import config


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Give each test a closed Timber, and leave it as other tests of the process had it."""
    settings, assigned = default_timber._settings, dict(config._assigned)
    shutdown_timber()
    config._assigned.clear()
    yield
    shutdown_timber()
    config._assigned.clear()
    config._assigned.update(assigned)
    if settings is not None:
        default_timber.open(settings)


def test_the_doors_open_and_close_together() -> None:
    with pytest.raises(NotOpenError):
        get_model("User")

    initialize_timber(database_url="sqlite:///:memory:")

    assert get_model("User").metadata is Base.metadata
    assert db_service.check_connection()

    shutdown_timber()
    shutdown_timber()

    with pytest.raises(NotOpenError):
        db_service.check_connection()


def test_the_services_of_the_doors_share_a_transaction() -> None:
    with pytest.raises(NotOpenError):
        session_service.get_session("a", "b")
    initialize_timber(database_url="sqlite:///:memory:")
    with db_service.session_scope() as session:
        session.add(get_model("User")(user_id="ada", email="a@example.org", username="ada"))

    with persistence_manager.unit_of_work() as unit:
        unit.track_event("ada", "begun")
        key = unit.create_notification("ada", "info", "Title", "Text")

    assert notification_service.get_notification(key).title == "Title"
    assert tracker_service.count_by_type() == {"begun": 1}


def test_config_is_assigned_before_and_read_after(tmp_path: Path) -> None:
    config.DATABASE_URL = f"sqlite:///{tmp_path}/a.db"

    initialize_timber(create_tables=False)

    assert db_service.engine.url.database == f"{tmp_path}/a.db"
    assert config.CREATE_TABLES is False
    with pytest.raises(AlreadyOpenError, match="set it before `initialize_timber"):
        config.DATABASE_URL = "sqlite://"


def test_an_argument_beats_config_and_config_beats_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TIMBER_ENABLE_GDPR", "false")
    monkeypatch.setenv("TIMBER_ENABLE_CACHING", "false")
    config.ENABLE_CACHING = True
    config.CREATE_TABLES = False

    initialize_timber(create_tables=True)

    assert (config.ENABLE_GDPR, config.ENABLE_CACHING, config.CREATE_TABLES) == (False, True, True)


def test_config_refuses_what_it_does_not_know() -> None:
    with pytest.raises(AttributeError, match="DATABASE_URL"):
        config.DATABSE_URL = "sqlite://"
    with pytest.raises(AttributeError, match="there are"):
        _ = config.database_url
    with pytest.raises(ConfigurationError, match="create_tables"):
        config.CREATE_TABLES = "perhaps"
    assert "DATABASE_URL" in dir(config)


def test_a_second_call_with_the_same_settings_does_nothing() -> None:
    initialize_timber()
    user_model = get_model("User")

    initialize_timber()

    assert get_model("User") is user_model
    with pytest.raises(AlreadyOpenError):
        initialize_timber(create_tables=False)


def test_folders_come_from_the_environment_as_in_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMBER_MODEL_CONFIG_DIRS", "one:two")

    assert TimberSettings().model_config_dirs == (Path("one"), Path("two"))


def test_a_password_is_shown_by_no_message() -> None:
    settings = load_settings(database_url="postgresql://ada:s3cret@host/name")

    with pytest.raises(ConfigurationError) as caught:
        load_settings(database_url=["s3cret"])

    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["oracle://ada:s3cret@host", "s3cret", "mysql://s3cret", ""])
def test_a_url_that_cannot_be_used_names_the_cure(url: str) -> None:
    with pytest.raises(ConfigurationError, match="postgresql://") as caught:
        initialize_timber(database_url=url)

    assert "s3cret" not in str(caught.value)
    assert not Base.metadata.tables
