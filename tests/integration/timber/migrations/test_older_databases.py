"""What Timber made when it was younger is changed by a step that is planned by itself."""

from pathlib import Path

import pytest
from sqlalchemy import make_url
from tests.unit.timber.migrations.conftest import Project

from timber.common.errors import SchemaMismatchError
from timber.common.runtime import Timber

MODELS = """
    models:
      - name: Page
        table_name: pages
        mixins: [SoftDeleteMixin]
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: slug, type: String(50), unique: true}
"""
MOMENT = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP WITH TIME ZONE"}


@pytest.fixture(params=["file", "postgresql"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """Give a database in which deleted rows, too, hold their unique values."""
    url = None if request.param == "file" else request.getfixturevalue("postgresql_url")
    project = Project(tmp_path, database_url=url)
    moment = MOMENT[make_url(project.database_url).get_backend_name()]
    project.run(
        f"CREATE TABLE pages (id INTEGER NOT NULL, slug VARCHAR(50), deleted_at {moment}, "
        "CONSTRAINT pk_pages PRIMARY KEY (id), CONSTRAINT uq_pages_slug UNIQUE (slug))",
        "CREATE INDEX ix_pages_deleted_at ON pages (deleted_at)",
        "INSERT INTO pages VALUES (1, 'home', NULL), (2, 'old', '2020-01-01 00:00:00')",
    )
    project.say(MODELS)
    return project


def test_a_unique_value_of_a_deleted_row_becomes_free(older: Project) -> None:
    older.step()

    older.run("INSERT INTO pages VALUES (3, 'old', NULL)")
    assert older.rows("SELECT count(*) FROM pages") == [(3,)]
    with older.migrator() as migrator:
        assert migrator.plan().is_empty


def test_an_older_unique_constraint_is_told_at_start(older: Project) -> None:
    with (
        pytest.raises(SchemaMismatchError, match=r"uq_pages_slug of pages is missing(.|\n)*plan"),
        Timber().opened(older.settings(create_tables=True)),
    ):
        pass


def test_the_older_constraint_comes_back_with_every_row(older: Project) -> None:
    before = older.rows("SELECT id, slug FROM pages ORDER BY id")
    older.step()

    with older.migrator() as migrator:
        migrator.roll_back()

    assert older.rows("SELECT id, slug FROM pages ORDER BY id") == before
