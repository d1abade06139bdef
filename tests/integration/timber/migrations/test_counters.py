"""What counts by itself counts as far as its column can, on every database."""

from pathlib import Path

import pytest
from tests.unit.timber.migrations.conftest import Project

from timber.common.runtime import Timber

MODELS = """
    models:
      - name: Visit
        table_name: visits
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: note, type: Text}
"""
LAST = 2**31 - 1
WIDTH = "SELECT data_type::text FROM pg_sequences WHERE sequencename LIKE 'visits%'"


@pytest.fixture(params=["file", "postgresql"])
def counted(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """Give a table whose key has counted as far as 32 bits go."""
    url = None if request.param == "file" else request.getfixturevalue("postgresql_url")
    project = Project(tmp_path, database_url=url)
    project.step(MODELS)
    project.run(f"INSERT INTO visits VALUES ({LAST}, 'last')")
    if url:
        project.run(f"SELECT setval(pg_get_serial_sequence('visits', 'id'), {LAST})")
    return project


def visit(project: Project, note: str) -> int:
    with (
        Timber().opened(project.settings()) as timber,
        timber.database.session_scope() as session,
    ):
        row = timber.models.get("Visit")(note=note)
        session.add(row)
        session.flush()
        found: int = row.id
        return found


def test_a_wider_key_counts_on(counted: Project) -> None:
    counted.step(MODELS.replace("Integer", "BigInteger"))

    assert visit(counted, "next") == LAST + 1


def test_a_renamed_and_wider_key_counts_on(counted: Project) -> None:
    counted.step(MODELS.replace("name: id, type: Integer", "name: key, was: id, type: BigInteger"))

    counted.run("INSERT INTO visits (note) VALUES ('next')")
    assert counted.rows("SELECT max(key) FROM visits") == [(LAST + 1,)]


def test_a_counter_ends_with_its_column(postgresql_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path, database_url=postgresql_url)
    project.step(MODELS)
    before = project.rows(WIDTH)

    project.step(MODELS.replace("Integer", "BigInteger"))
    wide = project.rows(WIDTH)
    with project.migrator() as migrator:
        migrator.roll_back()

    assert (before, wide) == ([("integer",)], [("bigint",)])
    assert project.rows(WIDTH) == before
