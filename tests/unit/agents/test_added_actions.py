"""What another distribution lets agents do."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.fakes import FakeMemoryStore, ScriptedLLM
from tests.unit.agents.conftest import ADA

from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.events.engine import EventEngine

START = datetime(2026, 1, 5, 6, tzinfo=UTC)

CODE = """
from datetime import timedelta

from puppet_engine.agents.actions import Action
from puppet_engine.core.models import EventDraft, Memory, TurnOutcome


class Napping(Action):
    event_type = "nap.due"

    def routine(self, turn, *, first):
        due = turn.clock.now() + timedelta(hours=1)
        return EventDraft(type=self.event_type, due_at=due, agent_id=turn.agent.id)

    async def take(self, turn):
        return TurnOutcome(memories=(Memory(content="I had a nap"),))
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.syspath_prepend(folder)
    # Each test has another distribution under this name.
    monkeypatch.delitem(sys.modules, "napping_agents", raising=False)
    (folder / "napping_agents.py").write_text(code)
    info = folder / "napping_agents-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: napping_agents\nVersion: 1.0\n")
    entry = "[puppet_engine.actions]\nnapping = napping_agents:Napping\n"
    (info / "entry_points.txt").write_text(entry)


def a_manager(clock: VirtualClock, memory: FakeMemoryStore, engine: EventEngine) -> AgentManager:
    return AgentManager(
        {
            "memory_store": memory,
            "default_llm_provider": ScriptedLLM("zzz"),
            "event_engine": engine,
            "clock": clock,
        }
    )


async def test_agents_do_what_an_installed_action_says_again_and_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: VirtualClock,
    memory: FakeMemoryStore,
) -> None:
    install(tmp_path, monkeypatch, CODE)
    engine = EventEngine(clock=clock)
    manager = a_manager(clock, memory, engine)
    await manager.create_agent(ADA)

    await engine.run_until(START + timedelta(hours=3))

    contents = [kept.content for kept in await manager.get_memories("ada")]
    assert contents.count("I had a nap") == 3


async def test_an_action_that_cannot_be_loaded_stops_the_start(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: VirtualClock,
    memory: FakeMemoryStore,
) -> None:
    install(tmp_path, monkeypatch, "import nothing_of_that_name")

    with pytest.raises(ConfigurationError, match="napping_agents"):
        a_manager(clock, memory, EventEngine(clock=clock))
