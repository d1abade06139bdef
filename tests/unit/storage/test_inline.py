from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import NotRunningError, StorageError
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.models import Memory
from puppet_engine.simulation.scenario import FIRST_MOMENT
from puppet_engine.storage import memories
from puppet_engine.storage.gateway import Proposals
from puppet_engine.storage.inline import InlineStorage
from timber.common.vector.steps import Steps


def on(file: Path) -> InlineStorage:
    clock = VirtualClock(FIRST_MOMENT)
    return InlineStorage(f"sqlite:///{file}", clock=clock, ids=seeded_ids(1))


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncGenerator[InlineStorage]:
    storage = on(tmp_path / "life.db")
    await storage.open()
    yield storage
    await storage.close()


async def note(storage: InlineStorage, kind: str) -> None:
    entry = storage.model("JournalEntry")

    def work(session: Session) -> None:
        session.add(entry(journal="notes", kind=kind, record={}))

    await storage.run(work)


async def notes(storage: InlineStorage) -> list[str]:
    entry = storage.model("JournalEntry")
    query = select(entry.kind).order_by(entry.sequence)
    return await storage.read(lambda session: list(session.scalars(query)))


async def test_what_was_done_is_there_for_the_next_and_after_the_end(
    storage: InlineStorage, tmp_path: Path
) -> None:
    await note(storage, "first")
    await note(storage, "second")
    before = await notes(storage)

    await storage.close()
    again = on(tmp_path / "life.db")
    await again.open()
    after = await notes(again)
    await again.close()

    assert before == after == ["first", "second"]


async def test_nothing_stays_of_what_failed_and_the_next_is_none_the_worse(
    storage: InlineStorage,
) -> None:
    entry = storage.model("JournalEntry")

    def refused(session: Session) -> None:
        session.add(entry(journal="notes", kind="half", record={}))
        session.flush()
        session.add(entry(journal="notes", kind=None, record={}))

    with pytest.raises(StorageError):
        await storage.run(refused)
    await note(storage, "whole")

    assert await notes(storage) == ["whole"]


async def test_no_transaction_finds_the_objects_of_another(storage: InlineStorage) -> None:
    await note(storage, "mine")
    entry = storage.model("JournalEntry")

    async def read() -> Any:
        return await storage.read(lambda session: session.scalar(select(entry)))

    first, second = await read(), await read()

    assert first is not second
    assert first.kind == second.kind == "mine"


async def test_before_it_is_open_and_after_its_end_it_says_so(storage: InlineStorage) -> None:
    await storage.close()

    with pytest.raises(NotRunningError):
        await notes(storage)


async def found(storage: InlineStorage, query: str, *, owner: str) -> int:
    """Return how many memories of somebody match by their words."""

    def count(proposals: Proposals) -> Steps[int]:
        return len(proposals["text"])
        yield  # nothing is asked: a generator all the same

    return await storage.propose(query, owner=owner, depth=10, weigh=count)


async def waiting(storage: InlineStorage) -> int:
    unread = text("SELECT count(*) FROM vector_outbox")
    return await storage.read(lambda session: session.connection().scalar(unread) or 0)


async def test_a_search_takes_in_all_that_waits_where_something_of_its_owner_does(
    storage: InlineStorage,
) -> None:
    for who in ("ada", "bob", "ada"):
        await memories.keep(storage, who, Memory(content=f"{who} saw fog over the harbour"))

    of_a_stranger = await found(storage, "fog", owner="cyd")
    left = await waiting(storage)
    of_ada = await found(storage, "fog", owner="ada")

    assert (of_a_stranger, left) == (0, 3)
    assert of_ada == 2
    assert await waiting(storage) == 0
    assert await found(storage, "fog", owner="bob") == 1
