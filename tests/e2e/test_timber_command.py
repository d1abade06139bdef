"""The `timber` command as it is installed, as people and CI start it."""

import json
import sys
from pathlib import Path
from typing import Final

import pytest
from tests.e2e.conftest import Installed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.xdist_group("installed")]

NOTE: Final = """
models:
  - name: Note
    table_name: notes
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: author, type: String(36), foreign_key: users.user_id}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with the folder `models` in it."""
    tmp_path.joinpath("models").mkdir()
    tmp_path.joinpath("models", "note.yaml").write_text(NOTE)
    return tmp_path


def test_a_project_is_checked_completed_typed_and_drawn(
    installed: Installed, project: Path
) -> None:
    commands = [
        ("check", "models"),
        ("schema", "-o", "timber.schema.json"),
        ("stubs", "models"),
        ("stubs", "models", "--check"),
        ("graph", "models", "-o", "docs/models.md"),
    ]

    done = [installed.timber(*command, cwd=project) for command in commands]

    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * len(commands)
    assert done[0].stdout == "1 model in 1 file: no problems\n"
    assert "models" in json.loads(project.joinpath("timber.schema.json").read_text())["properties"]
    assert "class Note(" in project.joinpath("timber_models.pyi").read_text()
    assert project.joinpath("docs", "models.md").read_text().startswith("```mermaid\nerDiagram\n")


BROKEN: Final = {
    "a key that is not known": NOTE.replace("table_name", "tabel_name"),
    "a table that is not there": NOTE.replace("users.user_id", "usrs.user_id"),
    "no YAML": "models: [",
    "a bomb": "a: &a [x]\nb: &b [*a, *a]\nmodels: [*b, *b]\n",
    "no text": "\0",
}


@pytest.mark.parametrize(
    ("command", "code", "what"),
    [
        *(("check", 1, what) for what in BROKEN),
        ("stubs", 2, "a table that is not there"),
        ("graph", 2, "no YAML"),
    ],
)
def test_a_broken_file_is_located_and_never_a_traceback(
    command: str, code: int, what: str, installed: Installed, project: Path
) -> None:
    project.joinpath("models", "note.yaml").write_text(BROKEN[what])

    done = installed.timber(command, "models", cwd=project)

    assert done.returncode == code
    told = done.stdout if command == "check" else done.stderr
    assert told.startswith("models/note.yaml:")
    assert "Traceback" not in done.stdout + done.stderr


def test_stubs_that_fell_behind_are_a_finding(installed: Installed, project: Path) -> None:
    installed.timber("stubs", "models", cwd=project)
    project.joinpath("models", "tag.yaml").write_text(NOTE.replace("ote", "ag"))

    done = installed.timber("stubs", "models", "--check", cwd=project)

    assert done.returncode == 1
    assert "timber stubs" in done.stderr
    assert "class Tag" not in project.joinpath("timber_models.pyi").read_text()


def test_without_its_extra_the_command_says_which_one_is_missing(
    installed: Installed, project: Path
) -> None:
    without_typer = "import sys; sys.modules['typer'] = None; from timber.cli import main; main()"

    done = installed.run(sys.executable, "-c", without_typer, cwd=project)

    assert done.returncode == 2
    assert "pip install 'puppet-engine[cli]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_command(installed: Installed, project: Path) -> None:
    done = installed.timber_started("--help", cwd=project)

    assert done.returncode == 0
    assert all(name in done.stdout for name in ("check", "schema", "stubs", "graph"))
