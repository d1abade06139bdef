"""A database of another version is not touched, and its owner is told how to go on with it."""

import contextlib
import shlex
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import OutdatedDatabaseError
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import EventDraft
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from timber.commands.app import cli

START = datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.fixture
async def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """Return a storage whose file lacks what came later, with one event in it."""
    monkeypatch.chdir(tmp_path)
    storage = Storage("sqlite:///life.db", clock=VirtualClock(START), ids=random_id)
    await storage.open()
    await StoredEvents(storage).append([EventDraft(type="noted", due_at=START)])
    await storage.close()
    with contextlib.closing(sqlite3.connect("life.db")) as file:
        file.execute("ALTER TABLE events DROP COLUMN is_cancelled")
        file.execute("DROP TABLE schedules")
        file.commit()
    return storage


async def test_it_is_refused_with_what_differs(storage: Storage) -> None:
    with pytest.raises(OutdatedDatabaseError, match=r"life\.db is of another(.|\n)*is_cancelled"):
        await storage.open()

    assert not storage.is_open


async def test_the_commands_that_are_named_let_a_life_go_on(storage: Storage) -> None:
    with pytest.raises(OutdatedDatabaseError) as refused:
        await storage.open()

    commands = [shlex.split(line) for line in str(refused.value).splitlines()[-2:]]
    for program, *arguments in commands:
        assert program == "timber"
        answer = CliRunner().invoke(cli, arguments)
        assert answer.exit_code == 0, answer.output

    await storage.open()
    (event,) = await StoredEvents(storage).pending()
    assert event.type == "noted"
    assert await StoredEvents(storage).schedules(after="", limit=9) == []
    await storage.close()
