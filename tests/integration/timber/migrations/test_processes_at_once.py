"""Processes that start at the same time apply each step once, on every database of files."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from tests.forks import forking
from tests.unit.timber.migrations.conftest import Project

from timber.cli import main

STEPS = 4
PROCESSES = 3

MEETING = f"""

import os
import time
from pathlib import Path

here = Path(__file__).parent
(here / f"loaded-{{os.getpid()}}").touch()
change = upgrade


def upgrade() -> None:
    # Whoever is here alone waits for the others to come; nobody else may get this far meanwhile.
    inside = os.open(here / "inside", os.O_CREAT | os.O_EXCL)
    while len(list(here.glob("loaded-*"))) < {PROCESSES}:
        time.sleep(0.01)
    time.sleep(0.5)
    change()
    os.close(inside)
    (here / "inside").unlink()
"""


def models(version: int) -> str:
    columns = "".join(
        f"          - {{name: c_{one}, type: Integer, nullable: false, default: {one}}}\n"
        for one in range(version)
    )
    return f"""
    models:
      - name: Note
        table_name: notes
        columns:
          - {{name: id, type: Integer, primary_key: true}}
{columns}"""


@pytest.fixture(params=["file", "postgresql"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """Give a folder of steps that was planned on another database."""
    planned = Project(tmp_path)
    for version in range(STEPS):
        planned.step(models(version))
    url = f"sqlite:///{tmp_path / 'production.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    return Project(tmp_path, database_url=url)


def apply(arguments: list[str], told: Connection) -> None:
    """Run the command, and tell how it ended."""
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["timber", "migrate", "apply", *arguments]
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ending:
        main()
    told.send((ending.value.code, out.getvalue(), err.getvalue()))


def start(project: Project) -> Connection:
    """Begin to apply the steps in a process of its own; return what tells of its end."""
    options = ["--database", project.database_url, "--migrations", str(project.steps), "--json"]
    context = forking()
    ours, theirs = context.Pipe()
    context.Process(target=apply, args=([str(project.models), *options], theirs)).start()
    return ours


def finish(process: Connection) -> Any:
    assert process.poll(50)
    code, out, err = process.recv()
    assert not code, err
    return json.loads(out)["applied"]


def test_each_step_is_applied_by_one_of_them(project: Project) -> None:
    first, *_ = sorted(project.steps.glob("*.py"))
    first.write_text(first.read_text(encoding="utf-8") + MEETING, encoding="utf-8")

    processes = [start(project) for _ in range(PROCESSES)]
    applied = [name for process in processes for name in finish(process)]

    assert sorted(applied) == sorted(file.stem for file in project.steps.glob("*.py"))
    with project.migrator() as migrator:
        assert migrator.status().is_current


def test_a_step_planned_on_sqlite_makes_the_same_tables_anywhere(project: Project) -> None:
    finish(start(project))

    with project.migrator() as migrator:
        assert migrator.plan().is_empty
