"""What a command loads: libraries that take long, only when they are really needed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SLOW = ("openai", "anthropic", "google.genai", "aiohttp", "tweepy", "numpy", "scipy", "sklearn")

HELP = """
import json, sys
from typer.testing import CliRunner
from puppet_engine.cli import cli
assert CliRunner().invoke(cli, ["--help"]).exit_code == 0
print(json.dumps(sorted(sys.modules)))
"""

LIFE = """
import asyncio, json, sys
from puppet_engine.core.settings import Settings
from puppet_engine.main import create_app

async def live():
    app = create_app(Settings(database_url=f"sqlite:///{sys.argv[1]}/life.db", embedder="none"))
    await app.startup()
    before = sorted(sys.modules)
    await app.agent_manager.create_agent({"id": "ada", "name": "Ada"})
    await app.agent_manager.trigger_post("ada")
    await app.shutdown()
    print(json.dumps([before, sorted(sys.modules)]))

asyncio.run(live())
"""


def run(program: str, *arguments: Path) -> Any:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(told.splitlines()[-1])


@pytest.mark.timeout(120)
def test_help_loads_nothing_that_takes_long() -> None:
    loaded = run(HELP)

    assert [name for name in SLOW if name in loaded] == []


@pytest.mark.timeout(120)
def test_a_life_loads_the_client_of_a_model_when_it_first_asks_one(tmp_path: Path) -> None:
    before, after = run(LIFE, tmp_path)

    assert [name for name in ("openai", "anthropic", "google.genai") if name in before] == []
    assert "openai" in after
    assert [name for name in ("anthropic", "google.genai") if name in after] == []
