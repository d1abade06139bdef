"""Processes that start at the same time apply each step once, on every database of files."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.unit.timber.migrations.conftest import Project

SRC = Path(__file__).parents[4] / "src"
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


def start(project: Project) -> "subprocess.Popen[str]":
    program = "from timber.cli import main; main()"
    command = [sys.executable, "-c", program, "migrate", "apply", str(project.models)]
    options = ["--database", project.database_url, "--migrations", str(project.steps), "--json"]
    return subprocess.Popen(
        [*command, *options],
        env={"PYTHONPATH": str(SRC)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> Any:
    out, err = process.communicate(timeout=50)
    assert process.returncode == 0, err
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
