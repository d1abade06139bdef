"""What every ledger promises, of all that are there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.fakes import FakeMemoryStore
from tests.lent_storages import LendStorage

from puppet_engine.agents.direct_ledger import DirectLedger
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import AgentExistsError, StorageError
from puppet_engine.core.ids import PostId, seeded_ids
from puppet_engine.core.models import (
    AgentConfig,
    EventDraft,
    IntentDraft,
    IntentKind,
    Memory,
    TurnOutcome,
)
from puppet_engine.core.settings import Settings
from puppet_engine.memory.base import MemoryStore
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.base import Arrival, Ledger
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
ADA = AgentConfig(id="ada", name="Ada")
POST = IntentDraft(kind=IntentKind.POST, payload={"text": "hello"}, account="x:ada")
TIMER = EventDraft(type="post.due", due_at=START + timedelta(hours=1), agent_id="ada")


@dataclass
class Books:
    ledger: Ledger
    memory: MemoryStore
    clock: VirtualClock


@pytest.fixture(params=["direct", "stored"])
async def books(request: pytest.FixtureRequest, lend_storage: LendStorage) -> Books:
    clock = VirtualClock(START)
    if request.param == "direct":
        memory = FakeMemoryStore(clock)
        ledger = DirectLedger(memory=memory, clock=clock, ids=seeded_ids(1))
        return Books(ledger, memory, clock)
    storage = await lend_storage(clock=clock, ids=seeded_ids(1))
    return Books(StoredLedger(storage), SQLiteStore(Settings(), storage=storage), clock)


async def enrol(books: Books) -> None:
    await books.ledger.enrol(Arrival(config=ADA))


async def test_a_first_day_brings_memories_and_routine(books: Books) -> None:
    arrival = Arrival(
        config=ADA, first_memories=[Memory(content="I am Ada")], first_events=[TIMER]
    )

    events = await books.ledger.enrol(arrival)

    assert [(e.type, e.due_at, e.agent_id) for e in events] == [("post.due", TIMER.due_at, "ada")]
    assert [m.content for m in await books.memory.get_memories("ada")] == ["I am Ada"]


async def test_a_turn_becomes_fact(books: Books) -> None:
    await enrol(books)
    outcome = TurnOutcome(
        memories=(Memory(content="heard"),), events=(TIMER,), intents=(POST,), cursor=PostId("9")
    )

    events = await books.ledger.commit("ada", None, outcome)

    assert [event.type for event in events] == ["post.due"]
    assert [m.content for m in await books.memory.get_memories("ada")] == ["heard"]
    assert await books.ledger.cursor("ada") == "9"
    (intent,) = await books.ledger.intents.open("x:ada")
    assert (intent.kind, intent.payload) == (IntentKind.POST, {"text": "hello"})


async def test_a_turn_that_saw_nothing_keeps_the_cursor(books: Books) -> None:
    await enrol(books)
    await books.ledger.commit("ada", None, TurnOutcome(cursor=PostId("9")))

    await books.ledger.commit("ada", None, TurnOutcome())

    assert await books.ledger.cursor("ada") == "9"


async def test_only_guests_are_known_to_the_ledger_alone(books: Books) -> None:
    bob = AgentConfig(id="bob", name="Bob", description="came by the door")
    await enrol(books)
    await books.ledger.enrol(Arrival(config=bob, is_guest=True))

    assert await books.ledger.guests(limit=9) == ["bob"]
    assert (await books.ledger.guest("bob"), await books.ledger.guest("ada")) == (bob, None)


async def test_of_a_multitude_no_two_share_an_id_or_a_handle(books: Books) -> None:
    def arrival(agent_id: str, handle: str) -> Arrival:
        config = AgentConfig(id=agent_id, name="One")
        return Arrival(config=config, handle=handle, is_guest=True)

    await books.ledger.enrol_new([arrival("one", "one"), arrival("two", "two")])

    with pytest.raises(AgentExistsError, match="'two'"):
        await books.ledger.enrol_new([arrival("three", "three"), arrival("two", "other")])
    with pytest.raises(AgentExistsError, match=r"(?i)@two"):
        await books.ledger.enrol_new([arrival("four", "Two")])
    assert await books.ledger.guests(limit=9) == ["one", "two"]


# ------------------------------------------------------------------ what only a database promises


def every_byte_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.fixture
async def storage(lend_storage: LendStorage) -> Storage:
    return await lend_storage(clock=VirtualClock(START), kind="file")


async def test_a_known_agent_gets_no_second_first_day(storage: Storage) -> None:
    ledger = StoredLedger(storage)
    arrival = Arrival(
        config=ADA,
        first_memories=[Memory(content="I am Ada")],
        first_events=[TIMER],
        routine=[TIMER],
    )
    await ledger.enrol(arrival)

    again = await ledger.enrol(arrival)

    assert again == []
    store = SQLiteStore(Settings(), storage=storage)
    assert len(await store.get_memories("ada")) == 1
    assert len(await StoredEvents(storage).pending()) == 1


async def test_a_known_agent_gets_the_routine_that_it_has_nothing_pending_of(
    storage: Storage,
) -> None:
    ledger = StoredLedger(storage)
    await ledger.enrol(Arrival(config=ADA, first_events=[TIMER]))
    trade = TIMER.model_copy(update={"type": "trade.due"})

    added = await ledger.enrol(Arrival(config=ADA, routine=[TIMER, trade]))

    assert [event.type for event in added] == ["trade.due"]


async def test_a_turn_is_settled_with_its_outcome_or_not_at_all(storage: Storage) -> None:
    ledger, events = StoredLedger(storage), StoredEvents(storage)
    await ledger.enrol(Arrival(config=ADA, first_events=[TIMER]))
    (event,) = await events.pending()
    unstorable = EventDraft(type="noted", due_at=START, payload={"what": object()})

    with pytest.raises(StorageError, match="cannot be stored"):
        await ledger.commit(
            "ada", event, TurnOutcome(memories=(Memory(content="half"),), events=(unstorable,))
        )

    assert await events.pending() == [event]
    assert await SQLiteStore(Settings(), storage=storage).get_memories("ada") == []


async def test_a_private_key_is_never_stored(storage: Storage, tmp_path: Path) -> None:
    secret = "4tCanary" * 8
    config = AgentConfig.model_validate(
        {**ADA.model_dump(), "solana_integration": {"private_key": secret}}
    )

    await StoredLedger(storage).enrol(Arrival(config=config))

    assert secret.encode() not in every_byte_in(tmp_path)


async def test_an_event_that_is_over_cannot_be_brought_back(storage: Storage) -> None:
    events = StoredEvents(storage)
    (event,) = await events.append([TIMER])
    await events.settle(event)

    kept = await events.postpone(event.model_copy(update={"failures": 1}), error="late")

    assert not kept
    assert await events.pending() == []
    assert not await events.cancel(event.id)
