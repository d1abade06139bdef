"""The `puppets budget` command: on the rows of an engine, and at the API of a live one."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.fake_life import FakeAgent, FakeAgents
from typer.testing import CliRunner, Result

from puppet_engine.api.server import APIServer
from puppet_engine.cli import cli
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.model_spending import ModelAccount, ModelCharge
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.core.models import AgentConfig, EventDraft
from puppet_engine.llm.budget import ModelBudget
from puppet_engine.llm.budget_desk import BudgetDesk
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.model_spending import StoredSpending
from puppet_engine.world.server import LoopbackServer

START = datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/life.db"


@pytest.fixture
async def book(url: str) -> AsyncGenerator[StoredSpending]:
    """Yield a book in which Ada has spent three quarters of a dollar today, and lost an answer."""
    storage = Storage(url, clock=VirtualClock(START), ids=random_id)
    await storage.open()
    events = StoredEvents(storage)
    [event] = await events.append([EventDraft(type="x", due_at=START, agent_id="ada")])
    await events.settle(event)
    made = StoredSpending(storage)
    account = ModelAccount(agent_id="ada", day=START.date(), provider="openai", model="gpt-5-mini")
    usage = ModelUsage(input_tokens=2_000, cached_tokens=500, output_tokens=300)
    await made.settle(account, usage, 750_000)
    await made.reserve(account, ModelCharge(calls=1, tokens=10, cost=50_000), most=None)
    bob = account.model_copy(update={"agent_id": "bob"})
    await made.settle(bob, ModelUsage(input_tokens=10), 1)
    yield made
    await storage.close()


async def puppets(*arguments: str) -> Result:
    # In a thread: the command runs an event loop of its own.
    return await asyncio.to_thread(lambda: CliRunner().invoke(cli, ["budget", *arguments]))


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


async def test_what_was_spent_is_told_of_the_day_at_which_the_life_stands(
    url: str, book: StoredSpending
) -> None:
    report = told(await puppets("--database", url, "--json"))

    ada, bob = report["today"]
    assert ada["agent_id"] == "ada"
    assert ada["used"] == {"calls": 2, "tokens": 2_310, "cost": 800_000}
    assert ada["open"] == {"calls": 1, "tokens": 10, "cost": 50_000}
    assert (ada["share"], ada["rung"]) == (0.8, "smaller")
    assert (bob["agent_id"], bob["rung"]) == ("bob", "full")
    assert report["resets_at"] == "2026-01-06T00:00:00Z"


async def test_people_get_tables(url: str, book: StoredSpending) -> None:
    result = await puppets("--database", url, "--agent", "ada")

    assert result.exit_code == 0, result.output
    assert "0.8000" in result.stdout
    assert "a smaller" in result.stdout
    assert "gpt-5-mini" in result.stdout
    assert "bob" not in result.stdout


async def test_a_live_engine_tells_the_same(url: str, book: StoredSpending) -> None:
    ada = FakeAgent(AgentConfig.model_validate({"id": "ada", "name": "Ada"}))
    agents = FakeAgents(agents={"ada": ada})
    desk = BudgetDesk(book=book, budget=ModelBudget(cost=1_000_000), clock=VirtualClock(START))
    server = LoopbackServer(APIServer(agents, agents.memories, budget=desk).app)
    api = await server.start()

    live = told(await puppets("--api", api, "--json"))
    of_ada = told(await puppets("--api", api, "--agent", "ada", "--json"))
    nobody = await puppets("--api", api, "--agent", "eve")
    await server.stop()

    assert live["today"] == told(await puppets("--database", url, "--json"))["today"]
    assert [one["agent_id"] for one in of_ada["today"]] == ["ada"]
    assert nobody.exit_code == 2
    assert "no agent 'eve'" in nobody.stderr


async def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = await puppets("--database", f"sqlite:///{tmp_path}/none.db")

    assert result.exit_code == 2
    assert "there is no database" in result.stderr
