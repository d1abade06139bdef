"""A population, alive under a virtual clock, with an engine that may end at any line."""

import contextlib
import logging
import tempfile
import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Generator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id, seeded_ids
from puppet_engine.core.models import AgentConfig, Event
from puppet_engine.core.settings import Settings
from puppet_engine.main import App, create_app
from puppet_engine.simulation.fate import Fate, SimulatedCrash
from puppet_engine.simulation.machine import Disk, DistantProvider, Line, Wire
from puppet_engine.simulation.meter import Meter
from puppet_engine.simulation.scenario import FIRST_MOMENT, Scenario
from puppet_engine.storage.inline import InlineStorage
from puppet_engine.storage.passing import Keystore, passing_keys
from puppet_engine.surroundings import Stage
from puppet_engine.world.rehearsal import RehearsalWorld
from puppet_engine.world.x.journal import InMemoryJournal

log = logging.getLogger(__name__)

STEP: Final = timedelta(minutes=15)
"""How much virtual time passes between two looks at who watches."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a life has come."""

    now: datetime
    share: float
    """How much of it is over, 0 to 1."""
    events: int
    seconds: float
    """How long it has taken so far, on this machine."""


class Life:
    """One population and its world; the engine between them comes and goes.

    `directory` holds the agents' database, which outlives every engine, and so does its keystore;
    `settings` are the engine's that differ from the usual ones of a simulation.
    The world, as the real one, goes on while no engine runs.
    """

    def __init__(
        self,
        scenario: Scenario,
        cast: Sequence[AgentConfig],
        *,
        directory: Path,
        keystore: Keystore,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.scenario: Final = scenario
        self.clock: Final = VirtualClock(FIRST_MOMENT)
        self.fate: Final = Fate(scenario, clock=self.clock)
        self.meter: Final = Meter()
        self.world: Final = RehearsalWorld(
            journal=InMemoryJournal(), clock=self.clock, seed=scenario.seed
        )
        self.cast: Final = cast
        self.lived_until = FIRST_MOMENT
        """Up to when everything due is over."""
        self.events = 0
        self.database_url: Final = f"sqlite:///{directory / 'agents.db'}"
        self.keystore: Final = keystore
        self._line = Line(self.fate)
        self._ids = seeded_ids(scenario.seed)
        usual: dict[str, Any] = {
            "database_url": self.database_url,
            "seed": scenario.seed,
            "llm_provider": "rehearsal",
            "mention_poll_minutes": scenario.mention_poll_minutes,
            # One turn after the other, so that the same seed is the same life.
            "concurrency": 1,
            # The account looks at all that ever happened.
            "event_retention_days": None,
            "said_retention_days": None,
        }
        self._settings = Settings(**{**usual, **(settings or {})})

    async def live(
        self,
        *,
        progress: Callable[[Progress], None],
        stopped: Callable[[], bool],
        meanwhile: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Let time pass to the end, or until `stopped` says so.

        `meanwhile` is what others do in the world: it is awaited after each step of the clock.
        """
        began = time.perf_counter()
        wire = Wire(await self.world.start_in_process(), line=self._line, meter=self.meter)
        app: App | None = None
        try:
            while self.lived_until < self.scenario.end and not stopped():
                app = app or await self._start(wire)
                if not await self._run(app, self._next_stop()):
                    await _abandon(app)
                    self.fate.revive()
                    app = None
                if meanwhile is not None:
                    await meanwhile()
                progress(self._progress(time.perf_counter() - began))
        finally:
            if app is not None:
                await _abandon(app)

    @contextlib.asynccontextmanager
    async def looked_back_on(self) -> AsyncGenerator[InlineStorage]:
        """Open what is left of the life, once it is over."""
        storage = InlineStorage(
            self.database_url,
            clock=VirtualClock(FIRST_MOMENT),
            ids=random_id,
            keystore=self.keystore,
        )
        await storage.open()
        try:
            yield storage
        finally:
            await storage.close()

    async def _run(self, app: App, until: datetime) -> bool:
        """Take everything due up to a moment; False when the engine crashed on its way."""
        try:
            await app.event_engine.run_until(until)
        except SimulatedCrash:
            return False
        self.lived_until = until
        if until < self.scenario.end:
            self.fate.jump_if_due()
            # Back in time, there is something ahead again that was over already.
            self.lived_until = min(until, self.clock.now())
        return True

    def _next_stop(self) -> datetime:
        stops = [self.clock.now() + STEP, self.scenario.end]
        if self.fate.next_jump is not None:
            stops.append(max(self.fate.next_jump, self.clock.now()))
        return min(stops)

    async def _start(self, wire: Wire) -> App:
        """Start an engine on what the last one left, as often as it crashes on its way."""
        stage = Stage(
            cast=self.cast,
            world=self.world,
            transport=wire,
            brain=DistantProvider(
                self.world.brain_in_process(own_seed=self._settings.seed),
                line=self._line,
                meter=self.meter,
                timeout_seconds=self._settings.llm_timeout_seconds,
            ),
            open_storage=partial(Disk, fate=self.fate, keystore=self.keystore),
        )
        while True:
            app = create_app(self._settings, clock=self.clock, ids=self._ids, stage=stage)
            self._line.is_reliable = True
            try:
                await app.assemble()
            except SimulatedCrash:
                self.fate.revive()
            else:
                self._line.is_reliable = False
                app.event_engine.subscribe("*", self._hear)
                return app

    async def _hear(self, _event: Event) -> None:
        self.events += 1

    def _progress(self, seconds: float) -> Progress:
        lived = self.clock.now() - FIRST_MOMENT
        share = lived / timedelta(days=self.scenario.days)
        return Progress(
            now=self.clock.now(), share=min(share, 1), events=self.events, seconds=seconds
        )


@contextlib.contextmanager
def lent_life(
    scenario: Scenario,
    cast: Sequence[AgentConfig],
    *,
    settings: Mapping[str, Any] | None = None,
) -> Generator[Life]:
    """Give a life of which nothing is left at the end of the block, neither rows nor keys."""
    with (
        tempfile.TemporaryDirectory(prefix="puppets-") as directory,
        passing_keys() as keystore,
    ):
        yield Life(
            scenario,
            cast,
            directory=Path(directory),
            keystore=keystore,
            settings=settings,
        )


async def _abandon(app: App) -> None:
    """Let go of an engine's resources, as the system does of a process's that has ended."""
    with contextlib.suppress(SimulatedCrash):
        await app.shutdown()
