"""What agents did outside is let go one day, with the marks of it, and nothing that is open."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.lent_storages import LendStorage

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id, seeded_ids
from puppet_engine.core.models import (
    AgentConfig,
    Effect,
    EventDraft,
    IntentDraft,
    IntentKind,
    Memory,
    TurnOutcome,
)
from puppet_engine.events.engine import EventEngine
from puppet_engine.events.retention import Kept
from puppet_engine.storage.base import Arrival
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.intents import StoredIntents
from puppet_engine.storage.ledger import StoredLedger
from puppet_engine.storage.said_prints import MARKS

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
DAY = timedelta(days=1)


def post(number: int) -> IntentDraft:
    payload = {"text": f"post {number}", MARKS: [10 * number + at for at in range(8)]}
    return IntentDraft(kind=IntentKind.POST, payload=payload, account="x:ada")


async def say(storage: Storage, clock: VirtualClock, count: int, *, is_sent: bool = True) -> None:
    """Want posts, one a day, and have them done if they are sent."""
    ledger = StoredLedger(storage)
    for number in range(count):
        await ledger.commit("ada", None, TurnOutcome(intents=(post(number),)))
        *_, intent = await ledger.intents.open("x:ada")
        if is_sent:
            done = Effect(result=f"p{number}", memory=Memory(content="x"), events=())
            await ledger.intents.complete(intent, done)
        clock.set(clock.now() + DAY)


async def rows(storage: Storage, name: str) -> int:
    count = select(func.count()).select_from(storage.model(name))
    return await storage.read(lambda session: session.scalar(count) or 0)


@pytest.fixture(params=["memory", pytest.param("postgresql", marks=pytest.mark.integration)])
async def storage(request: pytest.FixtureRequest, lend_storage: LendStorage) -> Storage:
    storage = await lend_storage(clock=VirtualClock(START), ids=seeded_ids(1), kind=request.param)
    await StoredLedger(storage).enrol(Arrival(config=AgentConfig(id="ada", name="Ada")))
    return storage


async def test_what_was_said_before_a_moment_goes_with_its_marks(storage: Storage) -> None:
    clock = storage.clock
    assert isinstance(clock, VirtualClock)
    intents = StoredIntents(storage)
    await say(storage, clock, 6)

    gone = await intents.purge(START + 4 * DAY, limit=100)

    assert gone == 4
    assert (await rows(storage, "Intent"), await rows(storage, "SaidPrint")) == (2, 16)
    assert (await intents.alike("ada", [50], limit=9)).own == ("post 5",)
    assert (await intents.alike("ada", [30], limit=9)).own == ()


async def test_no_more_goes_at_once_than_asked_for_and_nothing_that_is_open(
    storage: Storage,
) -> None:
    clock = storage.clock
    assert isinstance(clock, VirtualClock)
    intents = StoredIntents(storage)
    await say(storage, clock, 1, is_sent=False)
    await say(storage, clock, 5)

    gone = [await intents.purge(clock.now(), limit=3) for _ in range(4)]

    assert gone == [2, 2, 1, 0]
    (still_open,) = await intents.open("x:ada")
    assert still_open.payload["text"] == "post 0"
    assert await rows(storage, "SaidPrint") == 8


async def test_the_engine_lets_go_of_what_was_said_when_its_time_is_over(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    storage = Storage(f"sqlite:///{tmp_path}/said.db", clock=clock, ids=random_id)
    await storage.open()
    await StoredLedger(storage).enrol(Arrival(config=AgentConfig(id="ada", name="Ada")))
    await say(storage, clock, 10)
    engine = EventEngine(
        store=StoredEvents(storage),
        clock=clock,
        also_kept=(Kept(StoredIntents(storage), 31 * DAY),),
    )

    await engine.publish(EventDraft(type="noted", due_at=START + 36 * DAY))
    await engine.run_until(START + 36 * DAY)

    assert await rows(storage, "Intent") == 5
    await storage.close()
