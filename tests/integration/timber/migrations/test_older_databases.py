"""What Timber made when it was younger is changed by a step that is planned by itself."""

from pathlib import Path

import pytest
from sqlalchemy import make_url
from tests.unit.timber.migrations.conftest import Project

from timber.common.errors import DataLossError, SchemaMismatchError
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
MOOD = """- {name: mood, type: 'Enum(calm, "it''s", "50%:x")'}"""
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


def test_a_partial_index_does_not_stand_for_a_constraint(older: Project) -> None:
    older.step()
    older.say(MODELS.replace("        mixins: [SoftDeleteMixin]\n", ""))

    with (
        pytest.raises(SchemaMismatchError, match=r"pages \(slug\) is not unique"),
        Timber().opened(older.settings(create_tables=True)),
    ):
        pass


@pytest.mark.parametrize(
    "index",
    [
        "CREATE UNIQUE INDEX uq_pages_slug ON pages (slug)",
        "CREATE INDEX uq_pages_slug ON pages (slug) WHERE deleted_at IS NULL",
        "CREATE UNIQUE INDEX uq_pages_slug ON pages (id, slug) WHERE deleted_at IS NULL",
    ],
    ids=["whole", "not unique", "other columns"],
)
def test_an_index_of_the_same_name_is_looked_at(older: Project, index: str) -> None:
    older.step()
    older.run("DROP INDEX uq_pages_slug", index)

    with (
        pytest.raises(SchemaMismatchError, match="uq_pages_slug of pages is another one"),
        Timber().opened(older.settings(create_tables=True)),
    ):
        pass


def test_the_values_of_an_enum_are_those_of_the_models(older: Project) -> None:
    said = f"{MODELS}          {MOOD}\n"
    older.step(said)
    with Timber().opened(older.settings(create_tables=True)):
        pass

    older.say(said.replace("calm", "glad"))
    with (
        pytest.raises(SchemaMismatchError, match=r"pages\.mood is one of .*calm.* one of .*glad"),
        Timber().opened(older.settings(create_tables=True)),
    ):
        pass


def test_a_type_of_postgresql_with_the_same_values_is_theirs_and_keeps_them(
    postgresql_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path, database_url=postgresql_url)
    project.run(
        "CREATE TYPE mood AS ENUM ('calm', 'glad')",
        "CREATE TABLE people (id SERIAL, mood mood, CONSTRAINT pk_people PRIMARY KEY (id))",
        "INSERT INTO people (mood) VALUES ('calm'), ('glad')",
    )
    models = """
        models:
          - name: Person
            table_name: people
            columns:
              - {name: id, type: Integer, primary_key: true}
              - {name: mood, type: "Enum(calm, glad)"}
    """
    project.say(models)
    with Timber().opened(project.settings(create_tables=True)):
        pass

    project.say(models.replace("glad", "sad"))
    with (
        pytest.raises(SchemaMismatchError, match=r"people\.mood is one of calm, glad"),
        Timber().opened(project.settings(create_tables=True)),
    ):
        pass
    project.step(models)

    assert project.rows("SELECT mood FROM people ORDER BY id") == [("calm",), ("glad",)]
    with project.migrator() as migrator:
        assert migrator.plan().is_empty
        with pytest.raises(DataLossError, match="mood becomes mood"):
            migrator.roll_back()  # no step writes a type that is not ours
