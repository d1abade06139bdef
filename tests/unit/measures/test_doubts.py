"""What is measured of doubt falls when what it measures is broken."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.settings import Settings
from puppet_engine.measures.dialogues import ASKED_AT, talks
from puppet_engine.measures.doubts import Doubts, measure_doubts
from puppet_engine.measures.recall import tell
from puppet_engine.memory.recollection import Recollection
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.inline import InlineStorage

pytestmark = pytest.mark.unit


class Boasting(SQLiteStore):
    """Always knows."""

    @override
    async def recollect(
        self, agent_id: str, query: str, *, question: str | None = None, limit: int = 10
    ) -> Recollection:
        found = await super().recollect(agent_id, query, question=question, limit=limit)
        return replace(found, certainty=1.0)


class Timid(SQLiteStore):
    """Never knows."""

    @override
    async def recollect(
        self, agent_id: str, query: str, *, question: str | None = None, limit: int = 10
    ) -> Recollection:
        found = await super().recollect(agent_id, query, question=question, limit=limit)
        return replace(found, certainty=0.0)


@pytest.fixture
async def storage() -> AsyncGenerator[InlineStorage]:
    opened = InlineStorage("sqlite:///:memory:", clock=VirtualClock(ASKED_AT), ids=random_id)
    await opened.open()
    yield opened
    await opened.close()


async def doubts(storage: InlineStorage, kind: type[SQLiteStore]) -> Doubts:
    store = kind(Settings(), storage=storage, clock=VirtualClock(ASKED_AT))
    said = talks(people=4, topics=5)
    turns = await tell(store, kind.__name__, said)
    return await measure_doubts(store, kind.__name__, said, turns, seed=7)


async def test_who_tells_what_is_known_doubts_rightly_and_seldom_wrongly(
    storage: InlineStorage,
) -> None:
    found = await doubts(storage, SQLiteStore)

    assert found.right > 0.7
    assert found.wrong < 0.25
    assert found.kinds.keys() == {"untold", "of others", "forgotten"}


async def test_who_always_knows_or_never_does_is_found_out(storage: InlineStorage) -> None:
    boasting = await doubts(storage, Boasting)
    timid = await doubts(storage, Timid)

    assert (boasting.right, boasting.wrong) == (0, 0)
    assert (timid.right, timid.wrong) == (1, 1)
