"""Many turns share a commit, and none knows of the others."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Gate
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from tests.lent_storages import LendStorage

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import NotRunningError, StorageError
from puppet_engine.core.failpoints import Failpoint
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Event, EventDraft, Memory, TurnOutcome
from puppet_engine.core.settings import Settings
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger
from timber.common.failpoints import armed

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
NEXT = EventDraft(type="post.due", due_at=START, agent_id="ada")
UNSTORABLE = EventDraft(type="noted", due_at=START, payload={"what": object()})


@pytest.fixture(params=["file", "postgresql"])
async def storage(request: pytest.FixtureRequest, lend_storage: LendStorage) -> Storage:
    return await lend_storage(clock=VirtualClock(START), kind=request.param)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count how often each place on the durable path is passed."""
    passed: Counter[str] = Counter()
    with armed(lambda point: passed.update([point])):
        yield passed


async def take(storage: Storage, event: Event | None, content: str, *next_ones: EventDraft) -> Any:
    outcome = TurnOutcome(memories=(Memory(content=content),), events=next_ones)
    agent_id = (event and event.agent_id) or "ada"
    return await StoredLedger(storage).commit(agent_id, event, outcome)


async def contents(storage: Storage) -> list[str]:
    store = SQLiteStore(Settings(), storage=storage)
    return [memory.content for memory in await store.get_memories("ada")][::-1]


async def test_turns_at_once_share_a_commit(storage: Storage) -> None:
    with counted() as passed:
        kept = await asyncio.gather(*(take(storage, None, f"{n}", NEXT) for n in range(50)))

    assert passed[Failpoint.COMMIT_ASKED] == passed[Failpoint.COMMIT_TOLD] == 50
    assert passed[Failpoint.COMMIT_DURABLE] <= 2
    assert await contents(storage) == [f"{n}" for n in range(50)]
    numbers = [event.sequence for (event,) in kept]
    pending = await StoredEvents(storage).pending()
    assert [event.sequence for event in pending] == sorted(numbers) == numbers
    assert [event.id for event in pending] == [event.id for (event,) in kept]


async def test_an_error_reaches_its_own_turn_and_no_other(storage: Storage) -> None:
    turns = [take(storage, None, f"{n}", UNSTORABLE if n == 7 else NEXT) for n in range(20)]

    results = await asyncio.gather(*turns, return_exceptions=True)

    assert isinstance(results[7], StorageError)
    assert [n for n, result in enumerate(results) if isinstance(result, BaseException)] == [7]
    assert await contents(storage) == [f"{n}" for n in range(20) if n != 7]
    assert len(await StoredEvents(storage).pending()) == 19


async def test_works_of_every_kind_share_a_commit_and_fail_alone(storage: Storage) -> None:
    def refused(session: Session) -> None:
        session.execute(text("DELETE FROM memories"))
        raise LookupError("not mine")

    store = SQLiteStore(Settings(), storage=storage)
    works = [store.add_memory("ada", Memory(content="kept")), take(storage, None, "turn")]

    *_, error = await asyncio.gather(*works, storage.run(refused), return_exceptions=True)

    assert isinstance(error, LookupError)
    assert sorted(await contents(storage)) == ["kept", "turn"]


async def test_an_answer_comes_after_the_commit(storage: Storage, tmp_path: Path) -> None:
    order: list[str] = []
    with armed(lambda point: order.append(str(point))):
        await take(storage, None, "one")

    assert order == ["commit.asked", "commit.flushed", "commit.durable", "commit.told"]


async def test_a_commit_that_fails_after_the_last_write_reaches_all_who_share_it(
    storage: Storage,
) -> None:
    def break_off(point: str) -> None:
        if point == Failpoint.COMMIT_FLUSHED:
            raise OSError("the disk is gone")

    with armed(break_off):
        results = await asyncio.gather(
            *(take(storage, None, f"{n}") for n in range(5)), return_exceptions=True
        )

    assert [type(result) for result in results] == [OSError] * 5
    assert await contents(storage) == []


async def test_who_is_cancelled_learns_of_it_when_his_write_is_settled(storage: Storage) -> None:
    reached, released = Gate(), Gate()

    def hold_up(point: str) -> None:
        if point == Failpoint.COMMIT_FLUSHED:
            reached.set()
            released.wait(10)

    with armed(hold_up):
        turn = asyncio.create_task(take(storage, None, "cancelled"))
        await asyncio.to_thread(reached.wait, 10)
        turn.cancel()
        await asyncio.sleep(0.02)
        told_early = turn.done()
        released.set()
        await asyncio.wait([turn])

    assert not told_early
    assert turn.cancelled()
    assert await contents(storage) == ["cancelled"]


async def test_a_second_turn_for_an_event_that_is_over_keeps_nothing(storage: Storage) -> None:
    (event,) = await StoredEvents(storage).append([NEXT])

    first, second = await asyncio.gather(
        take(storage, event, "first", NEXT), take(storage, event, "second", NEXT)
    )
    third = await take(storage, event, "third", NEXT)

    assert (len(first), second, third) == (1, [], [])
    assert await contents(storage) == ["first"]


async def test_events_are_numbered_in_the_order_in_which_they_were_over(storage: Storage) -> None:
    events = await StoredEvents(storage).append([NEXT] * 30)

    await asyncio.gather(*(take(storage, event, "x") for event in events[::-1]))
    (last,) = await StoredEvents(storage).append([NEXT])
    await StoredEvents(storage).settle(last)

    over = await StoredEvents(storage).recent(limit=100)
    assert [event.id for event in over] == [event.id for event in [*events[::-1], last]]


async def test_two_processes_worth_of_writers_never_give_one_number_twice(
    postgresql_url: str,
) -> None:
    storages = [
        Storage(postgresql_url, clock=VirtualClock(START), ids=random_id) for _ in range(2)
    ]
    for storage in storages:
        await storage.open()
    events = await StoredEvents(storages[0]).append([NEXT] * 60)

    turns = [take(storages[n % 2], event, "x") for n, event in enumerate(events)]
    await asyncio.gather(*turns)

    numbers = await storages[0].read(
        lambda session: list(session.scalars(text("SELECT settled_as FROM events")))
    )
    assert sorted(numbers) == list(range(1, 61))
    for storage in storages:
        await storage.close()


async def test_what_waits_when_the_storage_is_closed_is_committed(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path}/a.db", clock=VirtualClock(START), ids=random_id)
    await storage.open()
    turns = [asyncio.create_task(take(storage, None, f"{n}")) for n in range(10)]
    await asyncio.sleep(0)

    await storage.close()

    await asyncio.gather(*turns)
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        assert database.execute("SELECT count(*) FROM memories").fetchone() == (10,)
    with pytest.raises(NotRunningError):
        await take(storage, None, "late")


@pytest.mark.parametrize(("chosen", "number"), [("NORMAL", 1), ("FULL", 2)])
async def test_what_a_commit_survives_is_the_operators_choice(
    tmp_path: Path, chosen: Any, number: int
) -> None:
    storage = Storage(
        f"sqlite:///{tmp_path}/a.db", clock=VirtualClock(START), ids=random_id, synchronous=chosen
    )
    await storage.open()

    def pragma(session: Session) -> Any:
        return session.scalar(text("PRAGMA synchronous"))

    assert await storage.run(pragma) == number
    assert await storage.read(pragma) == number
    await storage.close()


def test_full_is_what_nobody_has_to_choose() -> None:
    assert Settings().sqlite_synchronous == "FULL"
