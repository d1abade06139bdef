"""A process killed between a paid answer and its turn does not pay again."""

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

PROCESS = '''
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from tests.fakes import FakeFeed, FakeNetwork
from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.core.clock import SystemClock, VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import EventDraft
from puppet_engine.core.settings import Settings
from puppet_engine.events.engine import EventEngine
from puppet_engine.llm.base import Completion, LLMProvider
from puppet_engine.llm.budget import ModelBudget
from puppet_engine.llm.budgeted import BudgetedProvider
from puppet_engine.llm.prices import PriceList
from puppet_engine.llm.endpoints import endpoint_of
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.answers import StoredAnswers
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger
from puppet_engine.storage.model_spending import StoredSpending

folder, deadly = Path(sys.argv[1]), sys.argv[2] == "deadly"
START = datetime(2026, 1, 5, 6, tzinfo=UTC)


class Paid(LLMProvider):
    """Writes each call on the bill."""

    async def complete(self, request):
        with (folder / "bill").open("a") as bill:
            bill.write("paid\\n")
        return Completion(text=f"thought {len((folder / 'bill').read_text().splitlines())}")


class Deadly(StoredLedger):
    """Kills its process before a turn becomes fact."""

    async def commit(self, agent_id, event, outcome, *, error=""):
        if deadly and outcome.intents:
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().commit(agent_id, event, outcome, error=error)


async def main():
    clock = VirtualClock(START if deadly else START.replace(minute=7))
    storage = Storage(f"sqlite:///{folder}/life.db", clock=clock, ids=random_id)
    await storage.open()
    feed = FakeFeed(clock)

    async def open_account(agent):
        return FakeNetwork(feed, agent.handle)

    engine = EventEngine(store=StoredEvents(storage), clock=clock)
    manager = AgentManager({
        "memory_store": SQLiteStore(Settings(), storage=storage, clock=clock),
        "default_llm_provider": BudgetedProvider(
            Paid(),
            endpoint=endpoint_of(Settings(), "openai"),
            book=StoredSpending(storage),
            budget=ModelBudget(cost=1_000_000),
            prices=PriceList(),
            clock=clock,
        ),
        "event_engine": engine,
        "storage": Deadly(storage),
        "answers": StoredAnswers(storage),
        "clock": clock,
        "open_account": open_account,
    })
    await manager.create_agent({"id": "ada", "name": "Ada"})
    await manager.start_agents()
    await engine.run_until(START.replace(minute=20))
    (folder / "said").write_text("\\n".join(post.text for post in feed.posts.values()))
    await storage.close()


asyncio.run(main())
'''


async def run(folder: Path, fate: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, str(folder), fate
    )
    return await process.wait()


@pytest.mark.timeout(120)
async def test_an_answer_is_paid_once_though_the_process_is_killed_before_the_turn_is_fact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(path or "." for path in sys.path))

    killed = await run(tmp_path, "deadly")
    survived = await run(tmp_path, "kind")

    assert killed == -signal.SIGKILL
    assert survived == 0
    assert (tmp_path / "said").read_text() == "thought 1"
    assert (tmp_path / "bill").read_text().splitlines() == ["paid"]
    with closing(sqlite3.connect(tmp_path / "life.db")) as database:
        assert database.execute("SELECT * FROM model_answers").fetchall() == []
        counted = database.execute("SELECT agent_id, calls, open_calls FROM model_spending")
        assert counted.fetchall() == [("ada", 1, 0)]
