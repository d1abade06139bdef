"""The `puppets events` command: on the rows of a stopped engine, and at the API of a live one."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.fake_life import FakeAgents
from typer.testing import CliRunner, Result

from puppet_engine.api.server import APIServer
from puppet_engine.cli import cli
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Event, EventDraft
from puppet_engine.events.engine import EventEngine
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ownership import sole_owner
from puppet_engine.world.server import LoopbackServer

START = datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/life.db"


@pytest.fixture
async def storage(url: str) -> AsyncGenerator[Storage]:
    opened = Storage(url, clock=VirtualClock(START), ids=random_id)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def dead(storage: Storage) -> list[Event]:
    """Return two events that were given up; a third was not."""
    store = StoredEvents(storage)
    draft = EventDraft(type="post.due", due_at=START, agent_id="ada", payload={"topic": "tea"})
    events = await store.append([draft] * 3)
    for event in events[:2]:
        await store.settle(event, error=f"ValueError: no luck with {event.sequence}")
    return events[:2]


async def puppets(*arguments: str) -> Result:
    # In a thread: the command runs an event loop of its own.
    return await asyncio.to_thread(lambda: CliRunner().invoke(cli, ["events", *arguments]))


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


async def test_dead_letters_are_listed_with_the_reason(url: str, dead: list[Event]) -> None:
    people = await puppets("dead-letters", "--database", url)
    programs = told(await puppets("dead-letters", "--database", url, "--json"))
    page = told(await puppets("dead-letters", "--database", url, "--json", "--limit", "1"))

    assert "no luck with 1" in " ".join(people.stdout.split())
    letters = programs["dead_letters"]
    assert [each["event"]["id"] for each in letters] == [dead[1].id, dead[0].id]
    assert letters[0]["error"] == "ValueError: no luck with 2"
    assert page["dead_letters"] == letters[:1]


async def test_one_dead_letter_is_replayed_where_the_engines_time_stopped(
    url: str, dead: list[Event], storage: Storage
) -> None:
    replayed = told(await puppets("replay", dead[0].id, "--database", url, "--json"))
    again = await puppets("replay", dead[0].id, "--database", url)

    new_id = replayed["replayed"][dead[0].id]
    (event,) = [e for e in await StoredEvents(storage).pending() if e.id == new_id]
    assert (event.due_at, event.payload, event.failures) == (START, {"topic": "tea"}, 0)
    assert again.exit_code == 2
    assert "no dead letter has the id" in again.stderr


async def test_all_dead_letters_are_replayed(url: str, dead: list[Event]) -> None:
    replayed = told(await puppets("replay", "--all", "--database", url, "--json"))
    after = await puppets("replay", "--all", "--database", url)

    assert set(replayed["replayed"]) == {event.id for event in dead}
    assert "There are no dead letters." in after.stdout


@pytest.mark.parametrize("arguments", [(), ("some-id", "--all")])
async def test_a_replay_needs_one_id_or_all(arguments: tuple[str, ...], url: str) -> None:
    result = await puppets("replay", *arguments, "--database", url)

    assert result.exit_code == 2
    assert "or give --all" in result.stderr


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = f"sqlite:///{tmp_path}/none.db"
    result = CliRunner().invoke(cli, ["events", "dead-letters", "--database", missing])

    assert result.exit_code == 2
    assert "there is no database" in result.stderr
    assert list(tmp_path.iterdir()) == []


async def test_a_database_on_which_an_engine_lives_is_left_alone(
    url: str, dead: list[Event]
) -> None:
    async with sole_owner(url, since=START, on_loss=lambda _: None):
        listed = await puppets("dead-letters", "--database", url)
        result = await puppets("replay", "--all", "--database", url)

    assert listed.exit_code == 0
    assert result.exit_code == 2
    assert "another engine lives on" in result.stderr


async def test_a_live_engine_replays_through_its_api(storage: Storage, dead: list[Event]) -> None:
    engine = EventEngine(store=StoredEvents(storage), clock=VirtualClock(START))
    await engine.start()
    agents = FakeAgents()
    server = LoopbackServer(APIServer(agents, agents.memories, desk=engine).app)
    url = await server.start()

    letters = told(await puppets("dead-letters", "--api", url, "--json"))["dead_letters"]
    replayed = told(await puppets("replay", dead[0].id, "--api", url, "--json"))["replayed"]
    refused = await puppets("replay", dead[0].id, "--api", url)
    await server.stop()
    gone = await puppets("dead-letters", "--api", url)
    await engine.stop()

    assert [each["event"]["id"] for each in letters] == [dead[1].id, dead[0].id]
    assert replayed[dead[0].id] in {event.id for event in await engine.recent(limit=9)}
    assert "no dead letter has the id" in refused.stderr
    assert (gone.exit_code, refused.exit_code) == (2, 2)
    assert "no engine answers at" in gone.stderr
