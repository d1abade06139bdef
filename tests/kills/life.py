"""A busy life that can be killed: real turns on a real file, the world in another process."""

import asyncio
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.core.clock import Clock
from puppet_engine.core.failpoints import Failpoint, armed
from puppet_engine.core.ids import random_id
from puppet_engine.core.settings import Settings
from puppet_engine.events.engine import EventEngine
from puppet_engine.llm.base import CompletionRequest, LLMProvider
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.networks.directory import connect
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger
from puppet_engine.storage.ownership import sole_owner
from puppet_engine.world.desk import sign_up

START: Final = datetime(2026, 1, 5, 6, tzinfo=UTC)
SPEED: Final = 900
"""A quarter of an hour in a second: X's limits of a window are those of a second."""

CAST: Final[list[dict[str, Any]]] = [
    {
        "id": f"agent-{n}",
        "name": f"Agent {n}",
        "personality": {"interests": ["tea"]},
        "behavior": {
            "post_frequency": {"min_hours_between_posts": 0.03, "max_hours_between_posts": 0.1},
            "interaction_patterns": {"reply_probability": 1, "mention_probability": 0.5},
        },
        "initial_memory": {
            "core_memories": [f"I am number {n}"],
            "relationships": [{"handle": f"agent_{(n + 1) % 8}"}],
        },
    }
    for n in range(8)
]


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What one process is to do."""

    database: str
    world: str
    began: float
    """When the world began, on the monotonic clock, which all processes of a machine share."""
    until: float | None = None
    """When to stop of one's own accord, on the same clock; None for never."""
    fatal_point: str | None = None
    fatal_passage: int = 0
    """At which passage of that failpoint the process kills itself."""


class SharedClock(Clock):
    """Passes `SPEED` times as fast as ours, alike in every process."""

    def __init__(self, began: float) -> None:
        self._began = began

    @override
    def now(self) -> datetime:
        return START + timedelta(seconds=(time.monotonic() - self._began) * SPEED)

    @override
    async def wait_until(self, due: datetime) -> None:
        while (left := (due - self.now()).total_seconds()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left / SPEED)


class SeededLLM(LLMProvider):
    """Says something new at each new seed, and the same at the same."""

    @override
    async def complete(self, request: CompletionRequest) -> str:
        return f"thought number {request.options.seed}"


def fate(orders: Orders) -> Any:
    """Return a hook that kills this process as `kill -9` does, at a passage of one point."""
    passed = 0

    def hook(point: Failpoint) -> None:
        nonlocal passed
        if point == orders.fatal_point:
            passed += 1
            if passed == orders.fatal_passage:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


async def live(orders: Orders) -> None:
    """Live from where the file was left, until a kill or the given moment."""
    clock = SharedClock(orders.began)
    url = f"sqlite:///{orders.database}"
    storage = Storage(url, clock=clock, ids=random_id, synchronous="NORMAL")
    await storage.open()

    async def open_account(agent: Agent) -> SocialNetwork:
        account = await sign_up(orders.world, handle=agent.handle, name=agent.name)
        return connect("x", account, clock)

    async with sole_owner(url, since=START, on_loss=print):
        engine = EventEngine(store=StoredEvents(storage), clock=clock, concurrency=8)
        manager = AgentManager(
            {
                "memory_store": SQLiteStore(Settings(), storage=storage, clock=clock),
                "default_llm_provider": SeededLLM(),
                "event_engine": engine,
                "storage": StoredLedger(storage),
                "clock": clock,
                "open_account": open_account,
                "mention_poll_minutes": 5,
            }
        )
        for config in CAST:
            await manager.create_agent(config)
        await manager.start_agents()
        await engine.start()
        _tell("alive")
        while orders.until is None or time.monotonic() < orders.until:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await engine.stop()
        await manager.stop_agents()
        await manager.close()
        await storage.close()


def main() -> None:
    """Fork a life for each line of orders: what takes long to import is here already."""
    for line in sys.stdin:
        orders = Orders(**json.loads(line))
        if not (child := os.fork()):
            with armed(fate(orders)):
                asyncio.run(live(orders))
            sys.stderr.flush()
            os._exit(0)
        _tell("process", child)
        _, status = os.waitpid(child, 0)
        _tell("exit", os.waitstatus_to_exitcode(status))


def _tell(what: str, number: int = 0) -> None:
    # In one write: a process that is killed leaves no half of a line.
    os.write(1, f"{what} {number}\n".encode())


def line_of(orders: Orders) -> str:
    """Return orders as `main` reads them."""
    return json.dumps(asdict(orders)) + "\n"


if __name__ == "__main__":
    main()
