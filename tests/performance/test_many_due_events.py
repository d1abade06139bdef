"""What must hold under load: promises about order and breath, not about seconds."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import EventDraft
from puppet_engine.events.engine import EventEngine
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage

pytestmark = [pytest.mark.performance, pytest.mark.timeout(120)]

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
MANY = 1_000


async def test_a_thousand_due_events_leave_room_for_everybody_else(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    storage = Storage(f"sqlite:///{tmp_path}/events.db", clock=clock, ids=random_id)
    await storage.open()
    engine = EventEngine(store=StoredEvents(storage), clock=clock)
    drafts = [EventDraft(type="noted", due_at=START, agent_id=f"a{n % 7}") for n in range(MANY)]
    published = await engine.publish(*drafts)
    longest_wait = 0.0

    async def breathe() -> None:
        nonlocal longest_wait
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0)
            longest_wait = max(longest_wait, loop.time() - before)

    breath = asyncio.create_task(breathe())
    await engine.run_until(START)
    breath.cancel()

    taken = [event.sequence for event in await engine.recent(limit=MANY)]
    assert taken == [event.sequence for event in published], "each of the seven in turn"
    assert longest_wait < 1, "one thousand due events kept the API waiting"
    await storage.close()
