"""What people see and scripts read of `timber migrate`."""

import json
from typing import Any

import pytest
from tests.unit.timber.migrations.conftest import Project
from typer.testing import CliRunner, Result

from timber.commands.app import cli
from timber.common.runtime import Timber

BEFORE = """
    models:
      - name: Note
        table_name: notes
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: size, type: BigInteger}
"""
AFTER = BEFORE.replace("BigInteger", "Integer, nullable: false, default: 0")


def timber(project: Project, command: str, *options: str) -> Result:
    return CliRunner().invoke(
        cli,
        [
            *("migrate", command, str(project.models), *options),
            *("--database", project.database_url, "--migrations", str(project.steps)),
        ],
    )


def facts(project: Project, command: str, *options: str) -> Any:
    result = timber(project, command, *options, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_change_is_planned_applied_and_taken_back(project: Project) -> None:
    project.say(BEFORE)

    planned = timber(project, "plan", "-m", "Keep notes")
    applied = timber(project, "apply")
    status = timber(project, "status", "--check")
    taken_back = timber(project, "rollback")

    assert "0001_keep_notes" in planned.stdout
    assert "create table notes" in planned.stdout
    assert "CREATE TABLE notes" in planned.stdout
    assert applied.stdout == "applied 0001_keep_notes\n"
    assert (status.exit_code, "agree" in status.stdout) == (0, True)
    assert taken_back.stdout == "rolled back 0001_keep_notes\n"


def test_what_would_be_lost_is_planned_and_refused(project: Project) -> None:
    project.step(BEFORE)
    project.run(f"INSERT INTO notes VALUES (1, {2**40}), (2, 7)")
    project.say(AFTER)

    planned = facts(project, "plan")
    refused = timber(project, "apply")
    allowed = timber(project, "apply", "--allow-data-loss")

    assert [loss["rows"] for loss in planned["losses"]] == [1]
    assert refused.exit_code == 2
    assert "notes.size becomes INTEGER, into which not every value fits: 1 row" in refused.stderr
    assert "--allow-data-loss" in refused.stderr
    assert allowed.exit_code == 0
    assert project.rows("SELECT size FROM notes ORDER BY id") == [(0,), (7,)]


def test_a_dry_run_writes_no_file(project: Project) -> None:
    project.say(BEFORE)

    planned = facts(project, "plan", "--dry-run")

    assert planned["file"] is None
    assert not project.steps.exists()


def test_no_difference_is_no_step(project: Project) -> None:
    project.step(BEFORE)

    assert facts(project, "plan")["step"] is None
    assert len(list(project.steps.glob("*.py"))) == 1


def test_a_pending_step_fails_the_check(project: Project) -> None:
    project.say(BEFORE)
    timber(project, "plan")

    result = timber(project, "status", "--check", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["current"] is False


def test_drift_fails_the_check_and_is_named(project: Project) -> None:
    project.step(BEFORE)
    project.run("ALTER TABLE notes ADD COLUMN by_hand TEXT")

    result = timber(project, "status", "--check")

    assert result.exit_code == 1
    assert "drop column notes.by_hand" in result.stdout


def test_a_database_made_without_steps_is_adopted(project: Project) -> None:
    project.say(BEFORE)
    timber(project, "plan")
    with Timber().opened(project.settings(create_tables=True)):
        pass

    adopted = facts(project, "apply", "--adopt")

    assert len(adopted["adopted"]) == 1
    assert timber(project, "status", "--check").exit_code == 0


def test_a_database_that_differs_is_not_adopted(project: Project) -> None:
    project.say(BEFORE)
    timber(project, "plan")

    result = timber(project, "apply", "--adopt")

    assert result.exit_code == 2
    assert "create table notes" in result.stderr


def test_without_a_database_nothing_starts(project: Project) -> None:
    project.say(BEFORE)

    result = CliRunner().invoke(cli, ["migrate", "status", str(project.models)])

    assert result.exit_code == 2
    assert "--database or TIMBER_DATABASE_URL" in result.stderr


@pytest.mark.parametrize("command", ["plan", "apply", "status", "rollback"])
def test_every_command_explains_itself(command: str) -> None:
    assert CliRunner().invoke(cli, ["migrate", command, "--help"]).exit_code == 0
