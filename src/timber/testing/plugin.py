"""The plugin that pytest loads wherever Timber is installed: the fixtures of its testing guide.

Nothing is imported, opened or changed until a test asks for one of them.
A project replaces any of them by a fixture of the same name in its own `conftest.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from timber.common.runtime import Timber
    from timber.testing.isolation import Isolation
    from timber.testing.postgresql import PostgresqlServer

REAL_COMMITS: Final = "real_commits"
MODEL_DIRS: Final = "timber_model_dirs"
_OPENED: Final = "timber_opened_for_tests"

pytest_plugins = ["timber.testing.samples_plugin"]
pytest.register_assert_rewrite("timber.testing.contracts", "timber.testing.keystore_contract")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting that says where the models are."""
    parser.addini(
        MODEL_DIRS,
        "folders of the model files that tests open Timber with, relative to this file; "
        "data/models where it is left out",
        type="paths",
        default=[],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        f"{REAL_COMMITS}: let the sessions of a test commit in transactions of their own; "
        "all tables are emptied after it",
    )


@pytest.fixture(autouse=True)
def _isolate_what_uses_timber(request: pytest.FixtureRequest) -> None:
    # Before the other fixtures of the test, which may store rows through the services alone.
    if _OPENED in request.fixturenames:
        request.getfixturevalue("timber_isolation")


@pytest.fixture(scope="session")
def test_database_url(request: pytest.FixtureRequest) -> str:
    """Return TEST_DATABASE_URL, or a database in memory; each worker of xdist gets its own."""
    import os  # noqa: PLC0415

    from timber.testing.database import url_for_worker  # noqa: PLC0415

    url = os.environ.get("TEST_DATABASE_URL", "sqlite:///:memory:")  # noqa: TID251 - the guide's
    return url_for_worker(url, _of_xdist(request.config, "workerid"))


@pytest.fixture(scope="session")
def timber_model_dirs(request: pytest.FixtureRequest) -> Sequence[Path]:
    """Return the folders of the models: the setting of that name, or `data/models`."""
    folders: list[Path] = request.config.getini(MODEL_DIRS)
    usual = request.config.rootpath / "data" / "models"
    return folders or ([usual] if usual.is_dir() else [])


@pytest.fixture(scope="session")
def timber_options() -> Mapping[str, Any]:
    """Return what else `initialize_timber` is called with."""
    return {
        "enable_encryption": True,
        "enable_gdpr": True,
        "enable_auto_vector_ingestion": False,
    }


@pytest.fixture(scope="session")
def timber_opened_for_tests(
    test_database_url: str,
    timber_model_dirs: Sequence[Path],
    timber_options: Mapping[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator["Timber"]:
    """Give the process-wide Timber, open; its tables are dropped in the end, and its keys."""
    from timber.common.bootstrap import initialize_timber, shutdown_timber  # noqa: PLC0415
    from timber.common.database.schema import drop_tables  # noqa: PLC0415
    from timber.common.keys.bond import forget_keystore  # noqa: PLC0415
    from timber.common.runtime import default_timber  # noqa: PLC0415
    from timber.testing.database import is_in_memory, refuse_foreign_rows  # noqa: PLC0415

    refuse_foreign_rows(test_database_url)
    options = dict(timber_options)
    if not is_in_memory(test_database_url):
        options.setdefault("keystore", str(tmp_path_factory.mktemp("timber") / "keys"))
    initialize_timber(timber_model_dirs, database_url=test_database_url, **options)
    try:
        yield default_timber
        forget_keystore(default_timber.database.engine)
        drop_tables(default_timber.database.engine, default_timber.base.metadata)
    finally:
        shutdown_timber()


@pytest.fixture(scope="session")
def initialize_timber_for_tests(timber_opened_for_tests: "Timber") -> None:
    """Open Timber once for all tests."""


@pytest.fixture
def timber_isolation(
    initialize_timber_for_tests: None,  # noqa: ARG001 - a project may open it in its own way
    request: pytest.FixtureRequest,
) -> Iterator["Isolation | None"]:
    """Undo after the test what it committed, in whatever session; None under `real_commits`."""
    from timber.common.runtime import default_timber  # noqa: PLC0415
    from timber.testing.database import empty_tables  # noqa: PLC0415
    from timber.testing.isolation import isolated  # noqa: PLC0415

    if request.node.get_closest_marker(REAL_COMMITS) is None:
        with isolated(default_timber.database) as isolation:
            yield isolation
        return
    yield None
    with default_timber.database.engine.begin() as connection:
        empty_tables(connection, default_timber.base.metadata)


@pytest.fixture
def db_session(timber_isolation: "Isolation | None") -> Iterator["Session"]:
    """Give a session; what it commits is seen by every other session of the test, and undone."""
    from timber.common.runtime import default_timber  # noqa: PLC0415

    with default_timber.database.session() as session:
        if timber_isolation is not None:
            timber_isolation.be_ground(session)
        yield session


@pytest.fixture
def clean_database(db_session: "Session") -> None:
    """Empty all tables for the test."""
    from timber.common.runtime import default_timber  # noqa: PLC0415
    from timber.testing.database import empty_tables  # noqa: PLC0415

    empty_tables(db_session.connection(), default_timber.base.metadata)
    db_session.commit()


@pytest.fixture(scope="session")
def postgresql_server(request: pytest.FixtureRequest) -> Iterator["PostgresqlServer"]:
    """Start a PostgreSQL with pgvector, one for all workers of the run."""
    from timber.common.ids import random_uuid  # noqa: PLC0415
    from timber.testing.postgresql import running_server  # noqa: PLC0415

    run_id = _of_xdist(request.config, "testrunuid") or random_uuid().replace("-", "")
    with running_server(run_id) as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: "PostgresqlServer") -> Iterator[str]:
    """Give the URL of a fresh database for the test."""
    with postgresql_server.database() as url:
        yield url


@pytest.fixture(scope="module")
def postgresql_module_url(postgresql_server: "PostgresqlServer") -> Iterator[str]:
    """Give the URL of a fresh database for all tests of the module."""
    with postgresql_server.database() as url:
        yield url


def _of_xdist(config: pytest.Config, name: str) -> str | None:
    """Return what xdist tells its workers by that name; None without xdist."""
    told: Mapping[str, str] = getattr(config, "workerinput", {})
    return told.get(name)
