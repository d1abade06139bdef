"""What planning, applying and taking back steps promises."""

import pytest
from tests.unit.timber.migrations.conftest import Project

from timber.common.errors import DataLossError, MigrationError

NOTES = """
    models:
      - name: Note
        table_name: notes
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: label, type: String(50), nullable: false, unique: true, index: true}
          - {name: size, type: BigInteger}
"""
CARDS = """
    models:
      - name: Note
        table_name: cards
        was: notes
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: title, was: label, type: String(50), nullable: false, unique: true, index: true}
          - {name: size, type: BigInteger}
"""


def test_a_planned_step_makes_an_empty_database_agree_with_the_models(project: Project) -> None:
    project.step(NOTES)

    with project.migrator() as migrator:
        assert migrator.plan().is_empty
        assert migrator.status().is_current


def test_a_plan_changes_nothing(project: Project) -> None:
    project.say(NOTES)

    with project.migrator() as migrator:
        planned = migrator.plan()

    assert "create table notes" in planned.changes
    assert any(statement.startswith("CREATE TABLE notes") for statement in planned.sql)
    assert project.rows("SELECT name FROM sqlite_master") == []
    assert not project.steps.exists()


def test_a_rename_keeps_every_row(project: Project) -> None:
    project.step(NOTES)
    project.run("INSERT INTO notes VALUES (1, 'first', 7)")

    project.step(CARDS)

    assert project.rows("SELECT id, title, size FROM cards") == [(1, "first", 7)]
    with project.migrator() as migrator:
        assert migrator.plan().is_empty


def test_a_rename_never_drops(project: Project) -> None:
    project.step(NOTES)
    project.say(CARDS)

    with project.migrator() as migrator:
        changes = migrator.plan().changes

    assert "rename table notes to cards" in changes
    assert "rename column cards.label to title" in changes
    assert not [change for change in changes if change.startswith(("drop", "create", "add"))]


def test_a_rename_is_taken_back_with_every_row(project: Project) -> None:
    project.step(NOTES)
    project.run("INSERT INTO notes VALUES (1, 'first', 7)")
    project.step(CARDS)

    with project.migrator() as migrator:
        migrator.roll_back()

    assert project.rows("SELECT id, label, size FROM notes") == [(1, "first", 7)]
    project.say(NOTES)
    with project.migrator() as migrator:
        assert migrator.status().pending


WITHOUT_SIZE = """
    models:
      - name: Note
        table_name: notes
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: label, type: String(50), nullable: false, unique: true, index: true}
"""


def test_a_column_with_values_is_not_dropped_without_the_word(project: Project) -> None:
    project.step(NOTES)
    project.run("INSERT INTO notes VALUES (1, 'a', 7), (2, 'b', NULL)")

    with pytest.raises(DataLossError, match=r"notes\.size goes, with its values: 1 row"):
        project.step(WITHOUT_SIZE)

    assert project.rows("SELECT size FROM notes ORDER BY id") == [(7,), (None,)]
    with project.migrator() as migrator:
        assert [step.name for step in migrator.apply(allow_data_loss=True)] == [
            "0002_drop_column_notes_size"
        ]
    assert project.rows("SELECT * FROM notes ORDER BY id") == [(1, "a"), (2, "b")]


def test_a_step_that_destroys_nothing_here_needs_no_word(project: Project) -> None:
    project.step(NOTES)
    project.run("INSERT INTO notes VALUES (1, 'a', NULL)")

    project.step(WITHOUT_SIZE)

    assert project.rows("SELECT * FROM notes") == [(1, "a")]


def test_rolling_back_what_would_be_lost_needs_the_word(project: Project) -> None:
    project.step(WITHOUT_SIZE)
    project.step(NOTES)
    project.run("INSERT INTO notes VALUES (1, 'a', 7)")

    with project.migrator() as migrator, pytest.raises(DataLossError, match=r"notes\.size"):
        migrator.roll_back()

    assert project.rows("SELECT size FROM notes") == [(7,)]


def test_pending_steps_come_before_a_new_plan(project: Project) -> None:
    project.say(NOTES)
    with project.migrator() as migrator:
        migrator.write(migrator.plan())

        with pytest.raises(MigrationError, match="run `timber migrate apply` first"):
            migrator.plan()


def test_a_step_that_was_changed_after_it_was_applied_is_named(project: Project) -> None:
    project.step(NOTES)
    [file] = project.steps.glob("*.py")
    file.write_text(file.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")

    with project.migrator() as migrator, pytest.raises(MigrationError, match="was changed after"):
        migrator.apply()


def test_tables_of_others_are_left_alone(project: Project) -> None:
    project.run("CREATE TABLE theirs (id INTEGER PRIMARY KEY)")
    project.step(NOTES)

    project.step("models: []", allow_data_loss=True)

    [(names,)] = project.rows(
        "SELECT group_concat(name) FROM sqlite_master WHERE name IN ('theirs', 'notes')"
    )
    assert names == "theirs"
