"""A busy life that can be killed: real turns on a real file, the world in another process."""

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from typing_extensions import override

from kills.cast import personas
from kills.moments import Moments
from puppet_engine.agents.agent import Agent
from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.core.clock import Clock
from puppet_engine.core.failpoints import Failpoint
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Event
from puppet_engine.core.settings import Settings
from puppet_engine.events.base import Consumer
from puppet_engine.events.engine import EventEngine
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.networks.directory import connect
from puppet_engine.storage.answers import StoredAnswers
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger
from puppet_engine.storage.ownership import sole_owner
from puppet_engine.world.desk import sign_up
from timber.common.failpoints import Hook, armed

START: Final = datetime(2026, 1, 5, 6, tzinfo=UTC)
SPEED: Final = 900
"""A quarter of an hour in a second: X's limits of a window are those of a second."""

AGENTS: Final = 8


Tell = Callable[[str], None]
"""Lets those outside know how far a life has come."""


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
    rehearsal_seconds: float = 0
    """For how long the parent itself is to live, so that its children find everything warm."""


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
    async def complete(self, request: CompletionRequest) -> Completion:
        return Completion(text=f"thought number {request.options.seed}")


class Watched(Consumer):
    """Takes turns as `consumer` does, and counts them."""

    def __init__(self, consumer: Consumer, moments: Moments, tell: Tell) -> None:
        self._consumer = consumer
        self._moments = moments
        self._tell = tell

    @override
    def takes(self, event: Event) -> bool:
        return self._consumer.takes(event)

    @override
    async def consume(self, event: Event) -> bool:
        self._moments.begin_turn()
        try:
            return await self._consumer.consume(event)
        finally:
            if self._moments.end_turn() == 1:
                self._tell("busy")

    @override
    async def abandon(self, event: Event, *, error: str) -> None:
        await self._consumer.abandon(event, error=error)


class WatchedEngine(EventEngine):
    """An engine whose turns are counted."""

    def __init__(self, moments: Moments, tell: Tell, **options: Any) -> None:
        super().__init__(**options)
        self._moments = moments
        self._tell = tell

    @override
    def consume_with(self, consumer: Consumer) -> None:
        super().consume_with(Watched(consumer, self._moments, self._tell))


def fate(orders: Orders, moments: Moments) -> Hook:
    """Return a hook that counts, and kills this process as `kill -9` does, where it is told."""
    passed = 0

    def hook(point: str) -> None:
        nonlocal passed
        if not isinstance(point, Failpoint):
            return  # one of Timber's own
        moments.passed(point)
        if point == orders.fatal_point:
            passed += 1
            if passed == orders.fatal_passage:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


async def live(orders: Orders, moments: Moments, tell: Tell) -> None:
    """Live from where the file was left, until a kill or the given moment."""
    clock = SharedClock(orders.began)
    url = f"sqlite:///{orders.database}"
    storage = Storage(url, clock=clock, ids=random_id, synchronous="NORMAL")
    await storage.open()

    async def open_account(agent: Agent) -> SocialNetwork:
        account = await sign_up(
            orders.world, handle=agent.handle, name=agent.name, bio="An automated account."
        )
        return connect("x", account, clock)

    async with sole_owner(url, since=START, on_loss=print):
        store = StoredEvents(storage)
        engine = WatchedEngine(moments, tell, store=store, clock=clock, concurrency=AGENTS)
        manager = AgentManager(
            {
                "memory_store": SQLiteStore(Settings(), storage=storage, clock=clock),
                "default_llm_provider": SeededLLM(),
                "answers": StoredAnswers(storage),
                "event_engine": engine,
                "storage": StoredLedger(storage),
                "clock": clock,
                "open_account": open_account,
                "mention_poll_minutes": 5,
            }
        )
        for persona in personas(AGENTS):
            await manager.create_agent(persona)
        await manager.start_agents()
        await engine.start()
        moments.alive()
        tell("alive")
        await _end_of(orders)
        await engine.stop()
        await manager.stop_agents()
        await manager.close()
        await storage.close()


async def _end_of(orders: Orders) -> None:
    """Wait for the given moment, or for the end of the parent, which nobody else would notice."""
    parent = os.getppid()
    while orders.until is None or time.monotonic() < orders.until:
        if os.getppid() != parent:
            os._exit(1)
        await asyncio.sleep(0.05)


def main() -> None:
    """Fork a life for each line of orders: what takes long to import is here already."""
    moments = Moments()
    for line in sys.stdin:
        orders = Orders(**json.loads(line))
        moments.begin_anew()
        if orders.rehearsal_seconds:
            orders = replace(orders, until=time.monotonic() + orders.rehearsal_seconds)
            asyncio.run(live(orders, moments, lambda _: None))
            # What is here stays: no child has to copy a page of it to look it over.
            gc.collect()
            gc.freeze()
            _tell("exit", moment=asdict(moments.read()))
            continue
        if not (child := os.fork()):
            with armed(fate(orders, moments)):
                asyncio.run(live(orders, moments, _tell))
            sys.stderr.flush()
            os._exit(0)
        _tell("process", child)
        _, status = os.waitpid(child, 0)
        _tell("exit", os.waitstatus_to_exitcode(status), moment=asdict(moments.read()))


def _tell(what: str, number: int = 0, **more: Any) -> None:
    # In one write: a process that is killed leaves no half of a line.
    os.write(1, f"{json.dumps({'what': what, 'number': number, **more})}\n".encode())


def line_of(orders: Orders) -> str:
    """Return orders as `main` reads them."""
    return json.dumps(asdict(orders)) + "\n"


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
