"""Searching, building indexes and choosing a language from the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from timber.commands.app import cli
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

MODELS = """
models:
  - name: Ship
    table_name: ships
    columns: [{name: id, type: Integer, primary_key: true}]
"""
Run = Callable[..., Result]


def filled(database_url: str, folder: Path) -> Run:
    """Take in two notes; return what runs the command on their database."""
    folder.mkdir(exist_ok=True)
    (folder / "models.yaml").write_text(MODELS, encoding="utf-8")
    settings = TimberSettings(database_url=database_url, model_config_dirs=(folder,))
    with Timber().opened(settings) as timber:
        timber.vector_ingestion.ingest_document("The cat sleeps", "notes", "1", {"year": 1})
        timber.vector_ingestion.ingest_document("Engines of ships", "notes", "2", {"year": 2})

    def run(*arguments: str) -> Result:
        given = [*arguments, str(folder), "--database", database_url]
        return CliRunner().invoke(cli, given)

    return run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return filled(f"sqlite:///{tmp_path}/notes.db", tmp_path / "models")


def test_a_search_prints_what_it_finds_and_why(run: Run) -> None:
    done = run("search", "cats", "--explain", "--limit", "1")

    assert done.exit_code == 0, done.output
    first, meaning, words = done.output.splitlines()
    assert first.endswith("notes 1: The cat sleeps")
    assert meaning.strip().startswith("meaning: rank 1, score 0.")
    assert words.strip().startswith("words: rank 1")


def test_a_search_can_be_read_by_programs_and_filtered(run: Run) -> None:
    done = run("search", "cats", "--json", "--source-type", "notes", "--filters", '{"year": 2}')

    found = json.loads(done.output)
    assert [one["source_id"] for one in found["results"]] == ["2"]
    assert found["filters"] == {"year": 2}
    assert found["pending"] == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("search", "cats", "--filters", "{year"), "--filters is no JSON"),
        (("search", " "), "query: it is blank"),
        (("vectors", "index"), "this is for PostgreSQL"),
        (("vectors", "language", "german"), "this is for PostgreSQL"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)

    assert done.exit_code == 2
    assert said in done.output


def test_indexes_and_the_language_are_for_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    run = filled(postgresql_url, tmp_path / "models")

    index = run("vectors", "index", "--json")
    language = run("vectors", "language", "german")
    unknown = run("vectors", "language", "klingon")

    assert json.loads(index.output) == {"built": []}
    assert language.output == "all texts were read as german\n"
    assert unknown.exit_code == 2
    assert "no language 'klingon'" in unknown.output
