"""The embedded engine keeps what every engine promises, in memory and over a database."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.contracts.event_engine import EventEngineContract, Recorder, Rig
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Event, EventDraft
from puppet_engine.events.engine import EventEngine
from puppet_engine.events.memory_store import InMemoryEventStore
from puppet_engine.storage.base import EventStore
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage

START = datetime(2026, 1, 5, 6, tzinfo=UTC)


class EmbeddedRig(Rig):
    """An engine whose minutes pass in a tenth of a second."""

    def __init__(self, store: EventStore, clock: VirtualClock) -> None:
        super().__init__()
        self.store = store
        self.clock = clock
        self.embedded = self._engine()

    def _engine(self) -> EventEngine:
        engine = EventEngine(store=self.store, clock=self.clock, concurrency=4)
        engine.consume_with(Recorder(self))
        self.engine = engine
        return engine

    @override
    def now(self) -> datetime:
        return self.clock.now()

    @override
    async def keep(self, *drafts: EventDraft) -> list[Event]:
        return await self.store.append(drafts)

    @override
    async def give_up(self, event: Event, error: str) -> None:
        await self.store.settle(event, error=error)

    @override
    async def restart(self) -> None:
        await self.engine.stop()
        self._engine()
        await self.engine.start()


@pytest.fixture(params=["memory", "rows"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Rig]:
    clock = VirtualClock(START, factor=600)
    storage = Storage(f"sqlite:///{tmp_path}/events.db", clock=clock, ids=random_id)
    await storage.open()
    store = StoredEvents(storage) if request.param == "rows" else InMemoryEventStore(clock=clock)
    found = EmbeddedRig(store, clock)
    await found.engine.start()
    yield found
    await found.engine.stop()
    await storage.close()


class TestEmbedded(EventEngineContract):
    """Everything the contract says."""
