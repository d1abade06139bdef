"""Turns of agents that survive the process: our engine, ledger and Timber on an SQLite file."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from benchmarks.harness.stage import Facts, Stage, Trial
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Event, EventDraft, Memory, MemoryType, TurnOutcome
from puppet_engine.events.base import Consumer
from puppet_engine.events.engine import EventEngine
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger

AGENTS: Final = 1_000
_CONCURRENCY: Final = 256
_START: Final = datetime(2026, 1, 5, 6, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)


class _Living(Consumer):
    """Remembers one thing in each turn, and comes again in an hour."""

    def __init__(self, ledger: StoredLedger, engine: EventEngine) -> None:
        self._ledger = ledger
        self._engine = engine

    @override
    def takes(self, event: Event) -> bool:
        return event.agent_id is not None

    @override
    async def consume(self, event: Event) -> bool:
        agent_id = event.agent_id or ""
        again = EventDraft(type="turn.due", due_at=event.due_at + _HOUR, agent_id=agent_id)
        memory = Memory(content=f"I took turn {event.sequence}", type=MemoryType.EVENT)
        outcome = TurnOutcome(memories=(memory,), events=(again,))
        self._engine.accept(await self._ledger.commit(agent_id, event, outcome))
        return True

    @override
    async def abandon(self, event: Event, *, error: str) -> None:
        raise RuntimeError(error)


async def _awake(storage: Storage, clock: VirtualClock) -> EventEngine:
    await storage.open()
    engine = EventEngine(store=StoredEvents(storage), clock=clock, concurrency=_CONCURRENCY)
    engine.consume_with(_Living(StoredLedger(storage), engine))
    drafts = [
        EventDraft(type="turn.due", due_at=_START, agent_id=f"agent-{n}") for n in range(AGENTS)
    ]
    await engine.publish(*drafts)
    return engine


@contextlib.contextmanager
def _trial(stage: Stage, synchronous: Literal["NORMAL", "FULL"]) -> Iterator[Trial]:
    file = str(stage.folder / "turns.db")
    clock = VirtualClock(_START)
    storage = Storage(f"sqlite:///{file}", clock=clock, ids=random_id, synchronous=synchronous)
    with asyncio.Runner() as runner:
        engine = runner.run(_awake(storage, clock))
        end = _START + _HOUR * (stage.size // AGENTS - 1)
        yield Trial(work=lambda: runner.run(engine.run_until(end)), check=lambda: _stored(file))
        runner.run(storage.close())


def _stored(file: str) -> Facts:
    queries = {
        "turns": "SELECT count(*) FROM events WHERE settled_at IS NOT NULL",
        "memories": "SELECT count(*) FROM memories",
        "timers": "SELECT count(*) FROM events WHERE settled_at IS NULL",
    }
    with contextlib.closing(sqlite3.connect(file)) as database:
        return {name: database.execute(sql).fetchone()[0] for name, sql in queries.items()}


@contextlib.contextmanager
def survive_a_kill(stage: Stage) -> Iterator[Trial]:
    """Take so many turns with `synchronous=NORMAL`."""
    with _trial(stage, "NORMAL") as trial:
        yield trial


@contextlib.contextmanager
def survive_a_loss_of_power(stage: Stage) -> Iterator[Trial]:
    """Take so many turns with `synchronous=FULL`."""
    with _trial(stage, "FULL") as trial:
        yield trial
