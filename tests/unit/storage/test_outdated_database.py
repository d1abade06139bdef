"""A database of another version is not touched, and its owner is told how to go on with it."""

import contextlib
import shlex
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import OutdatedDatabaseError
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import EventDraft
from puppet_engine.storage.decisions import StoredDecisions
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import MODELS, Storage
from puppet_engine.storage.memories import newest
from timber.commands.app import cli
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

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


async def follow_what_is_said(storage: Storage) -> None:
    """Run the commands with which a storage is refused, and open it."""
    with pytest.raises(OutdatedDatabaseError) as refused:
        await storage.open()
    commands = [shlex.split(line) for line in str(refused.value).splitlines()[-2:]]
    for program, *arguments in commands:
        assert program == "timber"
        answer = CliRunner().invoke(cli, arguments)
        assert answer.exit_code == 0, answer.output
    await storage.open()


async def test_the_commands_that_are_named_let_a_life_go_on(storage: Storage) -> None:
    await follow_what_is_said(storage)

    (event,) = await StoredEvents(storage).pending()
    assert event.type == "noted"
    assert await StoredEvents(storage).schedules(after="", limit=9) == []
    await storage.close()


def bytes_of(folder: Path) -> bytes:
    """Return what is in the files of the database."""
    return b"".join(one.read_bytes() for one in folder.glob("life.db*") if one.is_file())


def models_in_clear(folder: Path) -> Path:
    """Write the models as they were before anything was sealed."""
    folder.mkdir()
    for file in MODELS.glob("*.yaml"):
        written = yaml.safe_load(file.read_text())
        for model in written["models"]:
            bound = model.pop("encryption", {}).get("bound_to")
            model.get("vector_search", {}).pop("embeds_encrypted", None)
            model["columns"] = [
                one for one in model["columns"] if one["name"] != bound or "default" not in one
            ]
        (folder / file.name).write_text(yaml.safe_dump(written))
    return folder


async def test_the_same_commands_seal_what_was_in_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = TimberSettings(
        database_url="sqlite:///life.db",
        model_config_dirs=(models_in_clear(tmp_path / "before"),),
        embedder="none",
    )
    with Timber().opened(settings) as timber, timber.database.session_scope() as session:
        memory, decision = map(timber.models.get, ("Memory", "Decision"))
        told = {"occasion": "post.due", "why": "of xyzzycanary", "mood_name": "calm"}
        mood = {"valence": 0, "arousal": 0, "as_of": START.isoformat()}
        session.add_all(
            memory(
                id=f"memory {number}",
                agent_id="ada",
                type="general",
                content="@bob said to me: xyzzycanary",
                importance=0.5,
                details={"own_words": "xyzzycanary"},
                created_at=START,
            )
            for number in range(3)
        )
        session.add_all(
            decision(
                agent_id="ada",
                at=START,
                acts="post",
                told={**told, "acts": ["post"], "mood": mood},
            )
            for _ in range(3)
        )
    assert b"xyzzycanary" in bytes_of(tmp_path)
    storage = Storage("sqlite:///life.db", clock=VirtualClock(START), ids=random_id)

    await follow_what_is_said(storage)
    memories = await newest(storage, "ada", limit=9)
    decisions = await StoredDecisions(storage).of_agent("ada", limit=9)
    await storage.close()

    assert [one.content for one in memories] == ["@bob said to me: xyzzycanary"] * 3
    assert [one.metadata["own_words"] for one in memories] == ["xyzzycanary"] * 3
    assert [one.why for one in decisions] == ["of xyzzycanary"] * 3
    assert b"xyzzycanary" not in bytes_of(tmp_path)
