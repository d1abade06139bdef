"""What may be said with `was`, and what it does when all is renamed already."""

import pytest
from tests.unit.timber.conftest import OpenTimber
from tests.unit.timber.migrations.conftest import Project

from timber.common.errors import ModelFileError

MODELS = """
    models:
      - name: Note
        table_name: notes
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: label, type: String(5)}
      - name: Card
        table_name: cards
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: note_id, type: Integer, foreign_key: notes.id}
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("table_name: cards", "table_name: cards\n        was: notes", "a table 'notes' still"),
        ("name: label", "name: label, was: id", "a column 'id' still"),
        ("name: label", "name: label, was: label", "a column 'label' still"),
        ("name: label", "name: label, was: 1", "must be text"),
    ],
)
def test_an_old_name_that_cannot_be_is_refused(
    open_timber: OpenTimber, old: str, new: str, problem: str
) -> None:
    with pytest.raises(ModelFileError, match=problem):
        open_timber(MODELS.replace(old, new))


def test_old_names_may_stay_when_the_renames_are_done(project: Project) -> None:
    renamed = MODELS.replace("table_name: notes", "table_name: leaves\n        was: notes")
    renamed = renamed.replace("notes.id", "leaves.id").replace("label,", "title, was: label,")
    project.step(MODELS)
    project.run("INSERT INTO notes VALUES (1, 'a')", "INSERT INTO cards VALUES (1, 1)")
    project.step(renamed)

    with project.migrator() as migrator:
        assert migrator.plan().is_empty
    assert project.rows("SELECT title, note_id FROM leaves JOIN cards ON note_id = leaves.id") == [
        ("a", 1)
    ]
    assert project.rows("PRAGMA foreign_key_check") == []


def test_an_association_table_is_renamed_too(project: Project) -> None:
    linked = """
    association_tables:
      - name: pairs
        columns:
          - {name: one, type: Integer, foreign_key: notes.id, primary_key: true}
          - {name: two, type: Integer, foreign_key: cards.id, primary_key: true}
    """
    project.step(MODELS + linked)
    project.run(
        "INSERT INTO notes VALUES (1, 'a')",
        "INSERT INTO cards VALUES (2, 1)",
        "INSERT INTO pairs VALUES (1, 2)",
    )

    project.step(MODELS + linked.replace("name: pairs", "name: links\n        was: pairs"))

    assert project.rows("SELECT one, two FROM links") == [(1, 2)]
