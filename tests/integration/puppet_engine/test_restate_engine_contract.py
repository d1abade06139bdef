"""The engine of many machines keeps what every engine promises, over PostgreSQL and Restate."""

import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest
from scripts.restate_server import RestateServer
from starlette.types import ASGIApp
from tests.contracts.event_engine import MINUTE, EventEngineContract, Recorder, Rig
from typing_extensions import override

from puppet_engine.core.clock import PacedClock, SystemClock
from puppet_engine.core.errors import StorageError
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Event, EventDraft
from puppet_engine.events.restate_client import RestateClient
from puppet_engine.events.restate_engine import RestateEngine, Shared
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.notices import Notices
from puppet_engine.storage.wakeups import Wakeups
from puppet_engine.world.server import LoopbackServer

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("restate")]

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
PACE = 600


@contextlib.asynccontextmanager
async def serve(app: ASGIApp) -> AsyncGenerator[str]:
    server = LoopbackServer(app, grace_seconds=10)
    yield await server.start()
    await server.stop()


class Sharing(Recorder):
    """May fail when the event is over, before what was to follow, and notes who is recovered."""

    def __init__(self, rig: "RestateRig") -> None:
        super().__init__(rig)
        self._shared = rig

    @override
    async def consume(self, event: Event) -> bool:
        await super().consume(event)
        if event.type == "half.done":
            raise StorageError("the outbox cannot be read")
        return True

    @override
    async def recover(self, agent_id: str) -> None:
        self._shared.recovered.append(agent_id)


class RestateRig(Rig):
    """A worker whose minutes pass in a tenth of a second."""

    def __init__(self, storage: Storage, database_url: str, restate: RestateServer) -> None:
        super().__init__()
        self.storage = storage
        self.store = StoredEvents(storage)
        self.recovered: list[str] = []
        """Whose turns another call found over, and looked what they had left behind."""
        self._database_url = database_url
        self.client = RestateClient(ingress_url=restate.ingress_url, admin_url=restate.admin_url)
        self._engine()

    def _engine(self) -> None:
        shared = Shared(
            wakeups=Wakeups(self.storage),
            notices=Notices(self.storage, self._database_url, sender=random_id()),
            restate=self.client,
            serve=serve,
        )
        self.worker = RestateEngine(store=self.store, clock=self.storage.clock, shared=shared)
        self.worker.consume_with(Sharing(self))
        self.engine = self.worker

    @override
    def now(self) -> datetime:
        return self.storage.clock.now()

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


@pytest.fixture
async def rig(postgresql_url: str, restate: RestateServer) -> AsyncGenerator[RestateRig]:
    clock = PacedClock(SystemClock(), pace=PACE)
    clock.begin_at(SystemClock().now(), START)
    storage = Storage(postgresql_url, clock=clock, ids=random_id)
    await storage.open()
    found = RestateRig(storage, postgresql_url, restate)
    await found.engine.start()
    yield found
    await found.engine.stop()
    await found.client.aclose()
    await storage.close()


class TestRestate(EventEngineContract):
    """Everything the contract says."""

    async def test_a_turn_that_fails_when_it_is_fact_is_recovered_and_not_taken_again(
        self, rig: RestateRig
    ) -> None:
        # Restate may still wake others for what was in the database of an earlier test.
        (event,) = await rig.engine.publish(rig.draft("half.done", agent="eve"))

        await rig.until(lambda: "eve" in rig.recovered)

        assert [taken.id for taken in rig.taken] == [event.id]

    @pytest.mark.parametrize("whose", ["bob", ""])
    async def test_who_is_woken_for_what_is_anothers_takes_nothing(
        self, rig: RestateRig, whose: str
    ) -> None:
        # Numbers begin anew in each database, and Restate may still know those of an earlier one.
        (event,) = await rig.engine.publish(rig.draft(after=2 * MINUTE, agent="ada"))

        await rig.worker.wake(whose, event.sequence)
        at_once = list(rig.taken)
        await rig.until(lambda: len(rig.taken) == 1)

        assert at_once == []
        assert [taken.id for taken in rig.taken] == [event.id]
