"""What `timber check` promises to people and to CI."""

import json
import re
from pathlib import Path
from textwrap import dedent

import pytest
from tests.unit.timber.conftest import BUILT_IN, WriteModels
from typer.testing import CliRunner, Result

from timber.commands.app import cli

GOOD = """
    models:
      - name: Note
        table_name: notes
        columns:
          - {name: id, type: String(36), primary_key: true, default: uuid4}
"""
BROKEN = """
    models:
      - name: Note
        table_name: notes
        colums: []
        columns:
          - {name: id, type: String(36), primary_key: true, defalt: uuid4}
"""


def timber(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments])


def test_models_without_a_problem_pass(write_models: WriteModels) -> None:
    done = timber("check", write_models(GOOD))

    assert done.exit_code == 0
    assert done.stdout == "1 model in 1 file: no problems\n"


def test_every_problem_of_every_file_is_printed_with_its_place(write_models: WriteModels) -> None:
    write_models(BROKEN, name="a.yaml")
    folder = write_models(BROKEN, name="b.yaml")

    done = timber("check", folder)

    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"{folder / name}:{said}"
        for name in ("a.yaml", "b.yaml")
        for said in (
            "5:5: unknown key 'colums' (at models.0.colums); did you mean 'columns'?",
            "7:57: unknown key 'defalt' (at models.0.columns.0.defalt); did you mean 'default'?",
        )
    ]
    assert done.stderr == "4 problems in 2 files\n"


def test_problems_between_files_are_found(write_models: WriteModels) -> None:
    write_models(GOOD, name="a.yaml")

    done = timber("check", write_models(GOOD, name="b.yaml"))

    assert done.exit_code == 1
    assert "b.yaml:3:11: 'Note' is there already" in done.stdout


def test_a_machine_reads_the_parts_of_a_problem(write_models: WriteModels) -> None:
    folder = write_models(BROKEN)

    done = timber("check", folder, "--json")

    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert (report["files"], report["models"]) == (1, [])
    assert report["problems"][0] == {
        "file": str(folder / "models.yaml"),
        "line": 5,
        "column": 5,
        "message": "unknown key 'colums' (at models.0.colums); did you mean 'columns'?",
    }


def test_a_machine_reads_the_names_of_good_models(write_models: WriteModels) -> None:
    done = timber("check", write_models(GOOD), "--json")

    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "files": 1,
        "models": ["Note"],
        "packaged_models": sorted(BUILT_IN),
        "notes": [],
        "problems": [],
    }


def test_what_is_read_otherwise_is_told_and_is_no_problem(write_models: WriteModels) -> None:
    done = timber("check", write_models("depends: [a.yaml]\n" + dedent(GOOD)))

    assert done.exit_code == 0
    assert "models.yaml:1:1: `depends` is left out" in done.stderr


@pytest.mark.parametrize("command", ["check", "stubs", "graph"])
def test_a_folder_that_is_not_there_is_no_finding_but_unusable(command: str) -> None:
    done = timber(command, "nowhere")

    assert done.exit_code == 2
    assert "'nowhere' is no folder" in done.stderr


def test_a_folder_without_model_files_does_not_pass(tmp_path: Path) -> None:
    done = timber("check", tmp_path)

    assert done.exit_code == 2
    assert re.search("no model file .* under", done.stderr)


def test_no_folder_at_all_does_not_pass() -> None:
    done = timber("check")

    assert done.exit_code == 2
    assert "name one, or more" in done.stderr


def test_the_folders_of_the_environment_are_checked(
    write_models: WriteModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMBER_MODEL_CONFIG_DIRS", str(write_models(BROKEN)))

    done = timber("check")

    assert done.exit_code == 1


@pytest.mark.parametrize("command", ["stubs", "graph"])
def test_broken_models_are_unusable_to_other_commands(
    command: str, write_models: WriteModels, tmp_path: Path
) -> None:
    output = tmp_path / "written"

    done = timber(command, write_models(BROKEN), "-o", output)

    assert done.exit_code == 2
    assert "models.yaml:5:5: unknown key 'colums'" in done.stderr
    assert not output.exists()


def test_a_file_that_cannot_be_written_is_named(write_models: WriteModels) -> None:
    folder = write_models(GOOD)

    done = timber("graph", folder, "-o", folder)

    assert done.exit_code == 2
    assert f"{str(folder)!r} cannot be written" in done.stderr


def test_checking_leaves_the_models_of_the_process_alone(write_models: WriteModels) -> None:
    folder = write_models(GOOD)

    assert [timber("check", folder).exit_code for _ in range(2)] == [0, 0]
