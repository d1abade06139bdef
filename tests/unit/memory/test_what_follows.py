"""What follows from memories, in a database of either kind: facts, links, doubt, room."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.lent_storages import LendStorage

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import QuarantinedNotFoundError
from puppet_engine.core.facts import MOST_EVIDENCE
from puppet_engine.core.ids import MemoryId
from puppet_engine.core.models import Memory, MemoryType, Quarantined, TurnOutcome
from puppet_engine.core.provenance import LinkKind, MemoryLink, Reason, Trust
from puppet_engine.core.settings import Settings
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.forgetting import remembrances
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger
from puppet_engine.storage.links import links
from puppet_engine.storage.quarantine import discard, held, release

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture(params=["memory", "postgresql"])
async def storage(
    request: pytest.FixtureRequest, lend_storage: LendStorage, clock: VirtualClock
) -> Storage:
    return await lend_storage(clock=clock, kind=request.param)


@pytest.fixture
def store(storage: Storage, clock: VirtualClock) -> SQLiteStore:
    return SQLiteStore(Settings(memory_room=100), storage=storage, clock=clock)


def said(text: str, *, at: datetime = START, who: str = "mira", **more: str) -> Memory:
    metadata = {
        "speaker": who,
        "occurred_at": at.isoformat(),
        "conversation_id": "1",
        "source": "network",
        **more,
    }
    return Memory(
        content=f"@{who} said to me: {text}", type=MemoryType.INTERACTION, metadata=metadata
    )


async def test_facts_follow_from_what_was_said_and_none_is_overwritten(
    store: SQLiteStore, storage: Storage, clock: VirtualClock
) -> None:
    before = await store.add_memory("ada", said("I live in Ghent, you know."))
    clock.advance(10 * DAY)
    after = await store.add_memory("ada", said("I moved to Leeds!", at=START + 9 * DAY))

    (now,) = await store.facts("ada", "@Mira")
    assert (now.attribute, now.value, now.evidence) == ("home", "Leeds", (after,))
    (then,) = await store.facts("ada", "mira", as_of=START + DAY)
    assert (then.value, then.valid_to) == ("Ghent", START + 9 * DAY)
    (believed,) = await store.facts("ada", "mira", as_of=START + 9 * DAY, known_at=START + 9 * DAY)
    assert believed.value == "Ghent"
    assert await links(storage, "ada", after) == [MemoryLink(kind=LinkKind.SUPERSEDES, to=before)]
    assert await store.facts("bob", "mira") == []


async def test_what_has_changed_is_told_with_what_comes_to_mind(
    store: SQLiteStore, clock: VirtualClock
) -> None:
    before = await store.add_memory("ada", said("I live in Ghent, you know."))
    clock.advance(DAY)
    after = await store.add_memory("ada", said("I live in Leeds now.", at=START + DAY))

    found = await store.recollect("ada", "Where does Mira live?")

    (told,) = found.disagreements
    assert (told.kind, told.memory, told.other) == (LinkKind.SUPERSEDES, after, before)


async def test_an_agent_knows_what_it_was_told_and_of_nobody_else(store: SQLiteStore) -> None:
    await store.add_memory("ada", said("My dog is called Biscuit."))
    for number in range(20):
        await store.add_memory("ada", said(f"It rained, day {number}", who="tom"))

    assert (await store.recollect("ada", "What is the dog of Mira called?")).knows
    assert not (await store.recollect("ada", "What is the dog of Priya called?")).knows
    assert not (await store.recollect("ada", "Which newspaper does Tom read?")).knows
    assert not (await store.recollect("bob", "What is the dog of Mira called?")).knows


async def test_who_said_it_and_where_is_kept_with_a_memory(
    store: SQLiteStore, storage: Storage
) -> None:
    await store.add_memory("ada", said("hello", post_id="1881"))
    await store.add_memory("ada", said("hello again", trust="acquaintance"))
    await store.add_memory("ada", Memory(content="Tea is at four"))

    assert [one.trust for one in await remembrances(storage, "ada")] == [
        Trust.STRANGER,
        Trust.ACQUAINTANCE,
        Trust.OPERATOR,
    ]


async def test_what_is_in_quarantine_is_no_memory_until_it_is_released(
    store: SQLiteStore, storage: Storage
) -> None:
    ledger = StoredLedger(storage)
    apart = [
        Quarantined(memory=said(f"I live in Ghent, {n}"), reasons=(Reason.DUPLICATE,))
        for n in range(2)
    ]
    await ledger.commit("ada", None, TurnOutcome(quarantined=tuple(apart)))

    assert await store.search_memories("ada", "Ghent") == []
    assert await store.facts("ada") == []
    newer, older = await held(storage, agent_id="ada")
    assert (newer.reasons, newer.speaker) == ((Reason.DUPLICATE,), "mira")
    assert await held(storage, agent_id="bob") == []

    memory_id = await release(storage, older.id)
    await discard(storage, newer.id)

    (found,) = await store.search_memories("ada", "Ghent")
    assert (found.id, found.metadata["released"]) == (memory_id, True)
    assert await held(storage) == []
    with pytest.raises(QuarantinedNotFoundError, match="puppets memory quarantine"):
        await release(storage, newer.id)


async def test_quarantine_keeps_the_newest_and_no_end_of_them(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("puppet_engine.storage.remembering.MOST_HELD", 3)
    ledger = StoredLedger(storage)

    for n in range(5):
        apart = Quarantined(memory=said(f"buy, number {n}"), reasons=(Reason.DUPLICATE,))
        await ledger.commit("ada", None, TurnOutcome(quarantined=(apart,)))
        await ledger.commit("bob" if n == 0 else "ada", None, TurnOutcome(quarantined=(apart,)))

    assert [one.content for one in await held(storage, agent_id="ada")] == [
        said(f"buy, number {n}").content for n in (4, 4, 3)
    ]
    assert len(await held(storage, agent_id="bob")) == 1


async def test_a_fact_that_is_said_without_end_keeps_its_first_and_last_evidence(
    store: SQLiteStore, clock: VirtualClock
) -> None:
    told = []
    for _ in range(MOST_EVIDENCE + 5):
        clock.advance(DAY)
        told.append(await store.add_memory("ada", said("I live in Ghent.", at=clock.now())))

    (fact,) = await store.facts("ada", "mira")

    assert fact.evidence == (told[0], *told[1 - MOST_EVIDENCE :])


async def test_an_agent_that_remembers_too_much_lets_go_of_what_it_used_least(
    store: SQLiteStore, storage: Storage, clock: VirtualClock
) -> None:
    ledger = StoredLedger(storage)
    ids = [await store.add_memory("ada", said(f"It rained, day {n}")) for n in range(101)]
    core = Memory(content="I was built in 1842.", type=MemoryType.CORE)
    await store.add_memory("ada", core)
    used = TurnOutcome(recalled=(MemoryId(ids[0]), MemoryId(ids[0]), MemoryId(ids[1])))
    await ledger.commit("ada", None, used)
    await ledger.commit("ada", None, used)
    clock.advance(DAY)

    room = await store.letting_go("ada")
    await ledger.commit("ada", None, TurnOutcome(memories=room.digests, forgotten=room.ids))

    left = {one.id: one for one in await remembrances(storage, "ada")}
    assert len(left) == 90 + len(room.digests)
    assert {ids[0], ids[1]} <= left.keys()
    assert left[ids[0]].uses == 2
    assert any(one.content == core.content for one in left.values())
    assert (await store.letting_go("ada")).ids == ()
    digest = await store.search_memories("ada", "what was it that mira and I spoke of?", limit=5)
    assert any("let_go" in one.metadata for one in digest)
