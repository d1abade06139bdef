"""The embedded engine keeps what every engine promises, in memory and over a database."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest
from tests.contracts.event_engine import EventEngineContract, Recorder, Rig
from tests.lent_storages import LendStorage
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.models import Event, EventDraft
from puppet_engine.events.engine import EventEngine
from puppet_engine.events.memory_store import InMemoryEventStore
from puppet_engine.storage.base import EventStore
from puppet_engine.storage.events import StoredEvents

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
async def rig(request: pytest.FixtureRequest, lend_storage: LendStorage) -> AsyncGenerator[Rig]:
    clock = VirtualClock(START, factor=600)
    store: EventStore = InMemoryEventStore(clock=clock)
    if request.param == "rows":
        store = StoredEvents(await lend_storage(clock=clock, kind="file"))
    found = EmbeddedRig(store, clock)
    await found.engine.start()
    yield found
    await found.engine.stop()


class TestEmbedded(EventEngineContract):
    """Everything the contract says."""
