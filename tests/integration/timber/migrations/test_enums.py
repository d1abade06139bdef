"""The values of an Enum change with the models, and with the rows that have them."""

from pathlib import Path

import pytest
from sqlalchemy import select
from tests.unit.timber.migrations.conftest import Project

from timber.common.errors import DataLossError
from timber.common.runtime import Timber

MODELS = """
    models:
      - name: Note
        table_name: notes
        columns:
          - {{name: id, type: Integer, primary_key: true}}
          - {{name: {name}, type: "{type}"}}
"""


def models(column_type: str, name: str = "state") -> str:
    return MODELS.format(type=column_type, name=name)


@pytest.fixture(params=["file", "postgresql"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    url = None if request.param == "file" else request.getfixturevalue("postgresql_url")
    project = Project(tmp_path, database_url=url)
    project.step(models("Enum(draft, '50%:x')"))
    project.run("INSERT INTO notes VALUES (1, 'draft'), (2, '50%\\:x')")
    return project


def states(project: Project) -> list[str | None]:
    return [row[0] for row in project.rows("SELECT state FROM notes ORDER BY id")]


def test_a_value_is_added_and_every_row_keeps_its_own(project: Project) -> None:
    project.step(models("Enum(draft, '50%:x', printed)"))

    project.run("INSERT INTO notes VALUES (3, 'printed')")
    assert states(project) == ["draft", "50%:x", "printed"]


def test_a_value_more_than_the_models_know_harms_nobody(project: Project) -> None:
    project.step(models("Enum(draft, '50%:x', printed)"))
    project.run("INSERT INTO notes VALUES (3, 'printed')")
    project.say(models("Enum(draft, '50%:x')"))  # as an older version of the program has it

    with Timber().opened(project.settings()) as timber:
        note = timber.models.get("Note")
        with timber.database.session_scope() as session:
            session.add(note(id=4, state="draft"))
        newer = timber.database.get(note, 3)
        assert newer is not None
        assert newer.state == "printed"
        with timber.database.session() as session:
            told = session.scalars(select(note.state).order_by(note.id)).all()

    assert told == ["draft", "50%:x", "printed", "draft"]


def test_a_value_that_rows_have_is_not_removed_without_the_word(project: Project) -> None:
    with pytest.raises(DataLossError, match=r"notes\.state becomes one of .*: 1 row"):
        project.step(models("Enum(draft, done)"))

    assert states(project) == ["draft", "50%:x"]
    with project.migrator() as migrator:
        migrator.apply(allow_data_loss=True)
        assert migrator.status().is_current
    assert states(project) == ["draft", None]


def test_a_renamed_column_keeps_its_values_there_and_back(project: Project) -> None:
    renamed = models("Enum(draft, '50%:x')", "kind, was: state")
    project.step(renamed)

    with project.migrator() as migrator:
        migrator.roll_back()

    assert states(project) == ["draft", "50%:x"]


def test_a_text_becomes_an_enum_there_and_back(project: Project) -> None:
    project.step(models("String(20)"))
    project.step(models("Enum(draft, '50%:x')"))

    with project.migrator() as migrator:
        migrator.roll_back()

    project.run("INSERT INTO notes VALUES (3, 'any text')")
    assert states(project) == ["draft", "50%:x", "any text"]
