"""Those who wait for a step see how far it is; scripts see nothing of it."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from tests.unit.timber.migrations.conftest import Project

from timber.common.migrations.progress import Progress

SRC = Path(__file__).parents[4] / "src"
NOTES = """
    models:
      - name: Note
        table_name: notes
        columns:
          - {name: id, type: Integer, primary_key: true}
"""
PLANNED = f"{NOTES}          - {{name: plan, type: String(9), nullable: false, default: free}}\n"


def with_two_steps(project: Project) -> Project:
    project.step(NOTES)
    project.run("INSERT INTO notes VALUES (1), (2), (3)")
    project.say(PLANNED)
    with project.migrator() as migrator:
        migrator.write(migrator.plan())
    return project


def test_each_step_tells_what_it_does_and_to_how_many_rows(project: Project) -> None:
    seen: list[Progress] = []

    with with_two_steps(project).migrator() as migrator:
        migrator.apply(on_progress=seen.append)
        migrator.roll_back(allow_data_loss=True, on_progress=seen.append)

    told = {(one.doing, one.rows) for one in seen}
    assert {(one.done, one.steps) for one in seen} == {(1, 2), (0, 1)}
    assert ("put 'free' where notes.plan has no value", 3) in told
    assert ("copy table notes", 3) in told
    assert ("drop column notes.plan", 3) in told


def on_a_terminal(project: Project, *options: str) -> tuple[str, str]:
    """Run `timber migrate apply`, and return what it printed and what the terminal showed."""
    ours, theirs = pty.openpty()
    program = "from timber.cli import main; main()"
    command = [sys.executable, "-c", program, "migrate", "apply", str(project.models), *options]
    done = subprocess.run(
        [*command, "--database", project.database_url, "--migrations", str(project.steps)],
        env={"PYTHONPATH": str(SRC), "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        check=True,
    )
    os.write(theirs, b"\nthe end\n")
    shown = b""
    while b"the end" not in shown:
        shown += os.read(ours, 65536)
    os.close(ours)
    os.close(theirs)
    return done.stdout, shown.decode()


def test_a_terminal_shows_a_bar_with_steps_and_rows(project: Project) -> None:
    printed, shown = on_a_terminal(with_two_steps(project))

    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert printed.startswith("applied 0002_")
    assert "1/2 steps" in plain
    assert "put 'free' where notes.plan has no value (3 rows)" in plain


def test_with_json_nothing_is_shown(project: Project) -> None:
    printed, shown = on_a_terminal(with_two_steps(project), "--json")

    assert printed.startswith("{")
    assert shown.strip() == "the end"
