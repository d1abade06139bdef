"""Where the commands write, and what they leave alone."""

import ast
import os
from pathlib import Path

import pytest
from tests.unit.timber.commands.test_check import GOOD, timber
from tests.unit.timber.conftest import WriteModels


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_stub_is_written_where_type_checkers_look(
    project: Path, write_models: WriteModels
) -> None:
    done = timber("stubs", write_models(GOOD))

    assert (done.exit_code, done.output) == (0, "")
    assert "class Note(" in project.joinpath("timber_models.pyi").read_text("utf-8")


def test_a_stub_is_the_same_however_the_files_are_split(
    project: Path, write_models: WriteModels
) -> None:
    other = GOOD.replace("Note", "Another").replace("notes", "others")
    write_models(GOOD, name="b.yaml")
    first = timber("stubs", write_models(other, name="c.yaml"), "-o", "-").stdout
    write_models(other, name="a.yaml")
    folder = write_models("models: []", name="c.yaml")

    assert timber("stubs", folder, "-o", "-").stdout == first
    assert list(project.glob("*.pyi")) == []


def test_a_check_of_the_stub_writes_nothing(project: Path, write_models: WriteModels) -> None:
    folder = write_models(GOOD)
    stub = project / "timber_models.pyi"

    missing = timber("stubs", folder, "--check")
    timber("stubs", folder)
    current = timber("stubs", folder, "--check")
    stub.write_text("old", encoding="utf-8")
    stale = timber("stubs", folder, "--check")

    assert [one.exit_code for one in (missing, current, stale)] == [1, 0, 1]
    assert stub.read_text("utf-8") == "old"


@pytest.mark.parametrize(("name", "fenced"), [("models.md", True), ("models.mmd", False)])
def test_a_diagram_is_fenced_in_a_page_only(
    name: str, fenced: bool, project: Path, write_models: WriteModels
) -> None:
    folder = write_models(GOOD)
    drawn = timber("graph", folder).stdout

    timber("graph", folder, "-o", f"docs{os.sep}{name}")

    expected = f"```mermaid\n{drawn}```\n" if fenced else drawn
    assert project.joinpath("docs", name).read_text("utf-8") == expected


def test_a_description_is_written_whole_whatever_is_in_it(
    project: Path, write_models: WriteModels
) -> None:
    folder = write_models(
        GOOD.replace("table_name: notes", "table_name: notes\n        description: '\"A\" and \\'")
    )

    stub = timber("stubs", folder, "-o", "-").stdout

    [note] = (one for one in ast.parse(stub).body if getattr(one, "name", "") == "Note")
    assert isinstance(note, ast.ClassDef)
    assert ast.get_docstring(note) == '"A" and \\'
