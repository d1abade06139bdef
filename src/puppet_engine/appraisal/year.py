"""A year of one persona: who visits it tells it things, and each month it is asked for them."""

import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import AgentConfig
from puppet_engine.core.settings import Settings
from puppet_engine.measures.levelling import Levelling, Month, levelling
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.personas.handles import handle_of
from puppet_engine.simulation.life import Life, Progress, lent_life
from puppet_engine.simulation.scenario import FIRST_MOMENT, Scenario
from puppet_engine.simulation.simulate import never, rubbish_left_lying
from puppet_engine.storage.forgetting import remembrances
from puppet_engine.storage.inline import InlineStorage
from puppet_engine.world.x.site import XSite

ROOM: Final = 1_000
"""For so many memories there is room, so that it is full before the year is half over."""

SAID_FOR: Final = 90
"""For so many days what was said is kept."""

MONTH: Final = timedelta(days=30)
LATELY: Final = timedelta(days=21)
"""About what was told in so long a time it is asked."""

ASKED: Final = 25
VISITS: Final = timedelta(hours=8)
DEPTH: Final = 10

_VISITORS: Final = tuple(f"visitor{number}" for number in range(30))
_THINGS: Final = ("ladder", "violin", "lantern", "atlas", "compass", "saddle", "anchor", "easel")
_COLOURS: Final = ("red", "green", "blue", "yellow", "white", "black", "silver", "purple")
_PLACES: Final = ("attic", "cellar", "garage", "kitchen", "shed", "office", "stable", "boathouse")
_SAYINGS: Final = (
    "just so you know: the {thing} number {label} is in the {place} now",
    "I finally put the {thing} number {label} into the {place}",
    "if anybody asks, my {thing} number {label} went to the {place}",
    "we moved the {thing} number {label} to the {place} this week",
)


@dataclass(frozen=True, slots=True)
class _Told:
    """Something a visitor said, and how it is asked for."""

    at: datetime
    text: str
    question: str


class _Visitors:
    """Strangers who drop in on a persona, and tell it where things are."""

    def __init__(self, site: XSite, handle: str, *, seed: int) -> None:
        self._site = site
        self._handle = handle
        self._chance = random.Random(f"visitors:{seed}")  # noqa: S311 - small talk, no secret
        self._next = FIRST_MOMENT + VISITS
        self.told: list[_Told] = []

    async def visit(self) -> None:
        """Say something, if it is time to."""
        now = self._site.clock.now()
        if now < self._next:
            return
        self._next += VISITS
        chance = self._chance
        who = chance.choice(_VISITORS)
        thing = f"{chance.choice(_COLOURS)} {chance.choice(_THINGS)}"
        label = f"{len(self.told) + 100}"
        said = chance.choice(_SAYINGS).format(
            thing=thing, label=label, place=chance.choice(_PLACES)
        )
        visitor = await self._site.sign_up(who, who.capitalize())
        await self._site.publish(visitor, f"@{self._handle} {said}")
        self.told.append(_Told(now, said, f"Where is the {thing} number {label} of {who}?"))


class _Months:
    """Looks into a persona's store at the end of each month, as it stands in the database."""

    def __init__(self, life: Life, config: AgentConfig, visitors: _Visitors, room: int) -> None:
        self._life = life
        self._config = config
        self._visitors = visitors
        self._settings = Settings(memory_room=room)
        self._chance = random.Random(f"months:{life.scenario.seed}")  # noqa: S311 - no secret
        self.found: list[Month] = []

    async def look(self) -> None:
        """Take stock, if a month is over."""
        now = self._life.clock.now()
        if now < FIRST_MOMENT + MONTH * (len(self.found) + 1):
            return
        database = Path(self._life.database_url.removeprefix("sqlite:///"))
        # The engine has its database for itself: a copy is looked into, as if it were killed now.
        with tempfile.TemporaryDirectory(prefix="puppets-") as directory:
            copy = Path(directory) / "then"
            shutil.copytree(database.parent, copy)
            url = f"sqlite:///{copy / database.name}"
            storage = InlineStorage(
                url, clock=VirtualClock(now), ids=random_id, keystore=self._life.keystore
            )
            await storage.open()
            try:
                self.found.append(await self._month(storage, now, file_bytes=_bytes_of(database)))
            finally:
                await storage.close()

    async def _month(self, storage: InlineStorage, now: datetime, *, file_bytes: int) -> Month:
        kept = await remembrances(storage, self._config.id)
        store = SQLiteStore(self._settings, storage=storage, clock=VirtualClock(now))
        # What was said an hour ago may not have been noticed yet.
        noticed = now - timedelta(days=1)
        lately = [one for one in self._visitors.told if now - LATELY <= one.at < noticed]
        asked = self._chance.sample(lately, min(ASKED, len(lately)))
        hits = [await self._finds(store, one) for one in asked]
        return Month(
            number=len(self.found) + 1,
            memories=len(kept),
            text_bytes=sum(len(one.content.encode()) for one in kept),
            file_bytes=file_bytes,
            asked=len(asked),
            recall=sum(hits) / max(1, len(hits)),
        )

    async def _finds(self, store: SQLiteStore, told: _Told) -> bool:
        found = await store.search_memories(self._config.id, told.question, limit=DEPTH)
        return any(told.text in one.content for one in found)


async def live_a_year(
    config: AgentConfig,
    *,
    days: float,
    seed: int,
    room: int = ROOM,
    progress: Callable[[Progress], None],
) -> Levelling:
    """Let a persona live with visitors who tell it things, and take stock each month."""
    scenario = Scenario(agents=1, days=days, seed=seed)
    # What is over goes after the usual thirty days, as it does in a real life; what was said goes
    # after a quarter of a year, so that all rooms are full before the year is half over.
    settings = {"memory_room": room, "event_retention_days": 30, "said_retention_days": SAID_FOR}
    with lent_life(scenario, [config], settings=settings) as life:
        visitors = _Visitors(life.world.site, handle_of(config), seed=seed)
        months = _Months(life, config, visitors, room)

        async def meanwhile() -> None:
            await visitors.visit()
            await months.look()

        with rubbish_left_lying():
            await life.live(progress=progress, stopped=never, meanwhile=meanwhile)
    return levelling(handle_of(config), months.found, room=room)


def _bytes_of(database: Path) -> int:
    files: Sequence[Path] = [database, database.with_name(f"{database.name}-wal")]
    return sum(one.stat().st_size for one in files if one.exists())
