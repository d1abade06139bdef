"""What `puppets run` says when nobody lives yet."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from puppet_engine.core.settings import Settings
from puppet_engine.main import create_app, read_cast
from puppet_engine.run import greet


async def test_in_an_empty_folder_it_is_told_how_to_get_a_cast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = io.StringIO()
    app = create_app(Settings(database_url="sqlite:///:memory:"))

    await app.startup()
    greet(app, "http://127.0.0.1:8700", Console(file=text, width=60))
    await app.shutdown()

    told = text.getvalue()
    named = re.search(r"such as (\S+):\n\s+(\{.*\})\n", told)
    assert named is not None, told
    assert "--agents" in told
    file = tmp_path / named[1]
    file.parent.mkdir(parents=True)
    file.write_text(named[2], encoding="utf-8")
    assert [one.name for one in read_cast(Settings())] == [json.loads(named[2])["name"]]
