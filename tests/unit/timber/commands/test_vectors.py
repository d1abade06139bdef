"""`timber vectors` tells how finding by meaning does, and looks after it."""

import json
import sqlite3
from pathlib import Path

import pytest
from tests.unit.timber.commands.test_check import timber

NOTES = """
models:
  - name: Note
    table_name: notes
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: body, type: Text}
    vector_search: {enabled: true, content_field: body}
"""


def test_rows_are_read_and_embedded_anew_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models.yaml").write_text(NOTES, encoding="utf-8")
    monkeypatch.setenv("TIMBER_EMBEDDER", "static")
    file = tmp_path / "notes.db"
    arguments = [str(tmp_path), "--database", f"sqlite:///{file}"]
    assert timber("vectors", "status", *arguments).exit_code == 0
    with sqlite3.connect(file) as connection:
        connection.execute("INSERT INTO notes VALUES (1, 'one'), (2, 'two')")
    connection.close()

    filled = timber("vectors", "backfill", *arguments, "--json")
    again = timber("vectors", "reembed", *arguments)
    told = timber("vectors", "status", *arguments, "--json")

    assert json.loads(filled.stdout) == {"rows": 2, "chunks": 2, "built": []}
    assert again.stdout.startswith("notes: nothing to do")
    [source] = json.loads(told.stdout)["sources"]
    assert (source["model"], source["chunks"], source["waiting_rows"]) == ("Note", 2, 0)


def test_a_source_that_there_is_not_is_told(tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text(NOTES, encoding="utf-8")
    database = f"sqlite:///{tmp_path}/notes.db"

    told = timber("vectors", "backfill", str(tmp_path), "--database", database, "--source", "note")

    assert told.exit_code == 2
    assert "did you mean 'notes'" in told.stderr
