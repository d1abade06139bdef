"""A year of talks: what an agent remembers stops growing, and it goes on finding what it needs."""

import random
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.models import Memory, MemoryType, TurnOutcome
from puppet_engine.core.settings import Settings
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.forgetting import count
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.inline import InlineStorage
from puppet_engine.storage.ledger import StoredLedger

START: Final = datetime(2026, 1, 1, 20, tzinfo=UTC)
DAY: Final = timedelta(days=1)
ROOM: Final = 1_500
A_DAY: Final = 40
MONTHS: Final = 12
ASKED: Final = 25
THINGS: Final = ("kettle", "ladder", "violin", "lantern", "atlas", "compass", "teapot", "saddle")
PLACES: Final = ("attic", "cellar", "garage", "kitchen", "shed", "office", "stable", "boathouse")
COLOURS: Final = ("red", "green", "blue", "yellow", "white", "black", "silver", "purple")
PEOPLE: Final = tuple(f"friend{number}" for number in range(30))


class Year:
    """An agent that is told small things all day, and one thing that matters."""

    def __init__(self, storage: Storage, clock: VirtualClock) -> None:
        self.chance = random.Random("a year")
        self.clock = clock
        self.ledger = StoredLedger(storage)
        self.storage = storage
        self.store = SQLiteStore(Settings(memory_room=ROOM), storage=storage, clock=clock)
        self.told: list[tuple[str, str, datetime]] = []
        """Question, the id of the memory that answers it, and when that was told."""
        self.mattered: list[tuple[str, str, datetime]] = []

    async def month(self, number: int) -> None:
        for _ in range(30):
            for talk in range(A_DAY):
                await self._tell(f"{number}-{self.clock.now():%d}-{talk}")
            room = await self.store.letting_go("ada")
            outcome = TurnOutcome(memories=room.digests, forgotten=room.ids)
            await self.ledger.commit("ada", None, outcome)
            self.clock.advance(DAY)

    async def _tell(self, talk: str) -> None:
        chance = self.chance
        who, thing = chance.choice(PEOPLE), f"{chance.choice(COLOURS)} {chance.choice(THINGS)}"
        label = f"{chance.randrange(1000):03}"
        matters = talk.endswith("-0")
        memory = Memory(
            content=f"@{who} said to me: the {thing} number {label} is in the "
            f"{chance.choice(PLACES)}, behind the {chance.choice(THINGS)}",
            type=MemoryType.INTERACTION,
            importance=0.95 if matters else 0.3,
            metadata={
                "speaker": who,
                "conversation_id": talk,
                "occurred_at": self.clock.now().isoformat(),
                "source": "network",
            },
        )
        memory_id = await self.store.add_memory("ada", memory)
        asked = f"Where is the {thing} number {label} of {who}?"
        (self.mattered if matters else self.told).append((asked, memory_id, self.clock.now()))

    async def recall(self, told: list[tuple[str, str, datetime]]) -> float:
        """Return how often what answers is among the first five, of some questions."""
        asked = self.chance.sample(told, ASKED)
        hits = 0
        for question, memory_id, _ in asked:
            found = await self.store.search_memories("ada", question, limit=5)
            hits += memory_id in {one.id for one in found}
        return hits / ASKED


@pytest.fixture
async def year(tmp_path: Path) -> AsyncGenerator[Year]:
    clock = VirtualClock(START)
    storage = InlineStorage(
        f"sqlite:///{tmp_path}/year.db", clock=clock, ids=seeded_ids(1), embedder="static"
    )
    await storage.open()
    yield Year(storage, clock)
    await storage.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_years_store_and_its_recall_level_off(year: Year, tmp_path: Path) -> None:
    sizes, files, lately, mattering = [], [], [], []
    for number in range(MONTHS):
        await year.month(number)
        sizes.append(await count(year.storage, "ada"))
        files.append((tmp_path / "year.db").stat().st_size)
        # A room for 1,500 is full after some five weeks of forty a day: three are safe.
        since = year.clock.now() - 21 * DAY
        lately.append(await year.recall([one for one in year.told if one[2] >= since]))
        mattering.append(await year.recall(year.mattered))

    assert max(sizes) <= ROOM
    assert sizes[-1] >= 0.8 * ROOM
    assert files[-1] <= 1.1 * files[5]
    assert min(lately[2:]) >= 0.85
    assert lately[-1] >= lately[2] - 0.1
    assert min(mattering[2:]) >= 0.85
