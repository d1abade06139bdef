"""What `timber admin` refuses before it serves anything."""

import socket
from pathlib import Path

import pytest
import typer
from tests.unit.timber.conftest import WriteModels
from typer.testing import CliRunner

from timber.commands.admin import admin

MODELS = """
    models:
      - name: Note
        table_name: notes
        columns:
          - {name: id, type: Integer, primary_key: true}
"""


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(admin)
    done = CliRunner().invoke(app, [*arguments])
    return done.exit_code, done.output


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'notes.db'}"


def test_a_folder_that_is_not_there_is_named(database: str) -> None:
    code, said = run("nowhere", "--database", database)

    assert code == 2
    assert "'nowhere' is no folder" in said


def test_broken_model_files_are_shown_with_their_place(
    write_models: WriteModels, database: str
) -> None:
    folder = write_models("modles: []")

    code, said = run(str(folder), "--database", database)

    assert code == 2
    assert "models.yaml:1:1" in said


def test_tables_are_not_made_unasked(write_models: WriteModels, database: str) -> None:
    code, said = run(str(write_models(MODELS)), "--database", database)

    assert code == 2
    assert "no table" in said


def test_a_password_that_is_too_short_is_refused_and_not_shown(
    write_models: WriteModels, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMBER_ADMIN_PASSWORD", "1234567")

    code, said = run(str(write_models(MODELS)), "--database", database)

    assert code == 2
    assert "fewer than 8 characters" in said
    assert "1234567" not in said


def test_a_port_that_is_taken_is_named(write_models: WriteModels, database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = ("--database", database, "--create-tables", "--port", port)

        code, said = run(str(write_models(MODELS)), *arguments)

    assert code == 2
    assert f"port {port} cannot be used" in said
    assert "Password" not in said
