"""`puppets persona`, and personas that change while their agents live."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from puppet_engine.cli import cli
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.models import Event, EventDraft
from puppet_engine.core.settings import Settings
from puppet_engine.main import App, create_app
from puppet_engine.reload import PersonaWatch

ADA: dict[str, Any] = {"id": "ada", "name": "Ada", "personality": {"traits": ["calm"]}}


def write(folder: Path, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "ada.json"
    file.write_text(json.dumps({**ADA, **changes}), "utf-8")
    return file


def puppets(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["persona", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
async def app(tmp_path: Path) -> AsyncGenerator[App]:
    write(tmp_path / "agents")
    settings = Settings(
        agents_dir=tmp_path / "agents", database_url=f"sqlite:///{tmp_path / 'puppets.db'}"
    )
    app = create_app(settings, clock=VirtualClock(datetime(2026, 1, 5, tzinfo=UTC)))
    await app.assemble()
    yield app
    await app.shutdown()


async def test_a_changed_file_is_taken_up_and_what_waits_stays(app: App) -> None:
    watch = PersonaWatch(app)
    agent = app.agent_manager.get_agent("ada")
    heard: list[Event] = []

    async def hear(event: Event) -> None:
        heard.append(event)

    app.event_engine.subscribe("x.y", hear)
    soon = app.clock.now() + timedelta(seconds=10)
    await app.event_engine.publish(EventDraft(type="x.y", due_at=soon, agent_id="ada"))

    write(app.settings.agents_dir, personality={"traits": ["furious"]})
    renewed = await watch.look()

    assert renewed == ["ada"]
    assert app.agent_manager.get_agent("ada") is agent
    assert agent.personality.traits == ["furious"]
    assert "furious" in agent.system_prompt
    await app.event_engine.run_until(soon + timedelta(seconds=1))
    assert [event.due_at for event in heard] == [soon]
    assert await watch.look() == []


async def test_a_broken_file_changes_nobody(app: App, caplog: pytest.LogCaptureFixture) -> None:
    watch = PersonaWatch(app)

    write(app.settings.agents_dir, name="")

    assert await watch.look() == []
    assert "personas stay as they were" in caplog.text
    assert app.agent_manager.get_agent("ada").name == "Ada"


async def test_a_handle_is_not_changed_in_a_life(app: App) -> None:
    with pytest.raises(ConfigurationError, match="start it again"):
        await app.agent_manager.renew_agent({**ADA, "handle": "other"})


async def test_a_new_file_is_a_new_agent(app: App) -> None:
    watch = PersonaWatch(app)

    (app.settings.agents_dir / "bob.json").write_text('{"id": "bob", "name": "Bob"}', "utf-8")

    assert await watch.look() == ["bob"]
    assert app.agent_manager.get_agent("bob").is_active


def test_versions_are_kept_compared_and_gone_back_to(tmp_path: Path) -> None:
    folder, url = tmp_path / "agents", f"sqlite:///{tmp_path / 'puppets.db'}"
    given = ("--database", url)
    file = write(folder)

    async def live() -> None:
        app = create_app(
            Settings(agents_dir=folder, database_url=url),
            clock=VirtualClock(datetime(2026, 1, 5, tzinfo=UTC)),
        )
        await app.assemble()
        await app.shutdown()

    asyncio.run(live())
    asyncio.run(live())
    wallet = {"private_key": "k" * 20}
    write(folder, personality={"traits": ["furious"]}, solana_integration=wallet)
    asyncio.run(live())

    versions = puppets("show", "ada", "--versions", *given).splitlines()
    assert [line[0] for line in versions] == ["2", "1"]
    assert json.loads(puppets("show", "ada", "--version", "1", *given)) == ADA
    assert "k" * 20 not in puppets("show", "ada", *given)
    changed = '- personality.traits: "calm"\n+ personality.traits: "furious"\n'
    assert puppets("diff", "ada", "1", "2", *given) == changed
    assert puppets("diff", "ada", "1", "--agents", str(folder), *given) == changed

    puppets("rollback", "ada", "1", "--agents", str(folder), *given)

    assert json.loads(file.read_text("utf-8")) == {**ADA, "solana_integration": wallet}
    assert puppets("diff", "ada", "1", "--agents", str(folder), *given) == "Nothing differs.\n"
    missing = CliRunner().invoke(cli, ["persona", "show", "ada", "--version", "9", *given])
    assert missing.exit_code == 2
    assert "there are: 1, 2" in missing.output


def test_files_are_checked_and_mistakes_named_with_their_place(tmp_path: Path) -> None:
    file = write(tmp_path)
    assert puppets("check", str(file), str(tmp_path)).count("ada: Ada, in order") == 2

    write(tmp_path, behaviour={})
    result = CliRunner().invoke(cli, ["persona", "check", str(tmp_path)])

    assert result.exit_code == 2
    assert "ada.json:1:" in result.output
    assert "did you mean 'behavior'?" in result.output


def test_the_schema_describes_a_persona() -> None:
    schema = json.loads(puppets("schema"))

    jsonschema.Draft202012Validator.check_schema(schema)
    for file in sorted(Path("config/agents").glob("*.json")):
        jsonschema.validate(json.loads(file.read_text("utf-8")), schema)


def test_a_foreign_persona_is_imported_and_not_over_another(tmp_path: Path) -> None:
    source = tmp_path / "character.json"
    source.write_text(
        json.dumps({"name": "Ada", "bio": "x", "topics": [], "plugins": []}), "utf-8"
    )
    given = ("import", str(source), "--agents", str(tmp_path / "agents"))

    told = puppets(*given)

    assert "from eliza" in told
    assert "Left out: plugins" in told
    assert "ada: Ada" in puppets("check", str(tmp_path / "agents"))
    again = CliRunner().invoke(cli, ["persona", *given])
    assert again.exit_code == 2
    assert "give --force" in again.output
    puppets(*given, "--force")
