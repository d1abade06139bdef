"""The `puppets forget` command."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from puppet_engine.cli import cli
from puppet_engine.core.clock import SystemClock
from puppet_engine.core.models import Memory
from puppet_engine.core.settings import Settings
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.ownership import sole_owner

run = CliRunner()


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/puppets.db"

    async def remember() -> None:
        store = SQLiteStore(Settings(database_url=url, embedder="none"))
        await store.initialize()
        said = {"speaker": "bob", "source": "network"}
        await store.add_memory("ada", Memory(content="@bob said: hello", metadata=said))
        await store.close()

    asyncio.run(remember())
    return url


def test_a_dry_run_tells_what_would_go_and_changes_nothing(url: str) -> None:
    for _ in range(2):
        done = run.invoke(cli, ["forget", "@Bob", "--dry-run", "--json", "--database", url])

        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout) == {
            "handle": "bob",
            "rows": {"memories": 1},
            "personas": [],
        }


def test_nothing_goes_without_a_yes(url: str) -> None:
    refused = run.invoke(cli, ["forget", "@bob", "--database", url], input="n\n")
    still = run.invoke(cli, ["forget", "@bob", "--dry-run", "--database", url])

    assert refused.exit_code == 1
    assert "memories: 1 rows" in still.stdout


def test_the_certificate_is_written_and_the_person_is_gone(url: str, tmp_path: Path) -> None:
    certificate = tmp_path / "made" / "bob.json"

    done = run.invoke(
        cli, ["forget", "bob", "--yes", "--certificate", str(certificate), "--database", url]
    )
    again = run.invoke(cli, ["forget", "bob", "--yes", "--database", url])

    assert done.exit_code == 0, done.output
    assert "@bob is forgotten: 1 rows are gone" in done.stdout
    assert json.loads(certificate.read_text())["signature"]
    assert again.exit_code == 2
    assert "nothing here tells of @bob" in again.stderr


def test_an_engine_that_lives_there_is_not_worked_against(url: str) -> None:
    async def forget_meanwhile() -> str:
        async with sole_owner(url, since=SystemClock().now(), on_loss=lambda _: None):
            done = await asyncio.to_thread(
                run.invoke, cli, ["forget", "bob", "--yes", "--database", url]
            )
        assert done.exit_code == 2
        return done.stderr

    assert "another engine lives on" in asyncio.run(forget_meanwhile())
