"""The whole engine with a multitude of agents, nearly all of them only rows."""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psutil
from benchmarks.contenders.latencies import percentile
from benchmarks.harness.stage import Facts, Stage, Trial

from puppet_engine.core.clock import SystemClock
from puppet_engine.core.models import Event, EventTemplate
from puppet_engine.core.settings import Settings
from puppet_engine.main import App, create_app
from puppet_engine.outbox.base import CLEAR_OUTBOX
from puppet_engine.run import spare_what_stays

WOKEN: Final = 20
"""How many idle agents are woken for each kind of turn."""

GAP: Final = timedelta(milliseconds=100)
"""How long after one agent the next one is due."""

AHEAD: Final = timedelta(seconds=5)
"""So long before the first is due, all are written down: nobody is late for that."""

SHARES: Final = (50, 95)
"""Which percentiles are told; of so few the 99th would be the longest."""

YEAR: Final = timedelta(days=365)
KINDS: Final = {"woken": CLEAR_OUTBOX, "spoken": "post.due"}
"""A turn that only looks whether something is to go out, and one that remembers and speaks."""


def _app(stage: Stage) -> App:
    settings = Settings(
        database_url=stage.database_url,
        mention_poll_minutes=YEAR / timedelta(minutes=1),
        port=0,
    )
    return create_app(settings, clock=SystemClock())


def _personas(count: int) -> Iterator[dict[str, Any]]:
    """Yield people who each say something twice a year, so that nearly all are idle."""
    pace = {"min_hours_between_posts": 3000, "max_hours_between_posts": 6000}
    for number in range(count):
        yield {
            "id": f"agent-{number}",
            "name": f"Agent {number}",
            "personality": {"traits": ["patient"], "interests": ["tea", "maps", "rain"]},
            "behavior": {"post_frequency": pace},
            "initial_memory": {"core_memories": [f"I live at number {number}."]},
        }


@contextlib.contextmanager
def arrive(stage: Stage) -> Iterator[Trial]:
    """Take up so many agents."""
    app = _app(stage)
    facts: dict[str, float] = {}

    async def work() -> None:
        facts["agents"] = await app.agent_manager.create_agents(_personas(stage.size), over=YEAR)

    # Where no persona files are: nobody else lives there.
    with contextlib.chdir(stage.folder), asyncio.Runner() as runner:
        runner.run(app.startup())
        yield Trial(work=lambda: runner.run(work()), check=lambda: {**facts, **_size(stage)})
        runner.run(app.shutdown())


def _size(stage: Stage) -> Facts:
    file = stage.database_url.removeprefix("sqlite:///")
    parts = (Path(f"{file}{end}") for end in ("", "-wal"))
    return {"bytes": sum(part.stat().st_size for part in parts if part.exists())}


@contextlib.contextmanager
def wake(stage: Stage) -> Iterator[Trial]:
    """Start the engine over so many agents; then see how late those come that are due."""
    app = _app(stage)
    with contextlib.chdir(stage.folder), asyncio.Runner() as runner:
        yield Trial(
            work=lambda: runner.run(_start(app)),
            check=lambda: runner.run(_watch(app, stage.size)),
        )
        runner.run(app.shutdown())


async def _start(app: App) -> None:
    """Start as `puppets run` does."""
    await app.startup()
    spare_what_stays()


async def _watch(app: App, agents: int) -> Facts:
    facts: dict[str, float] = {"measured": 0}
    chance = random.Random(7)  # noqa: S311 - no secret
    for kind, event_type in KINDS.items():
        chosen = chance.sample(range(agents), WOKEN)
        late = await _lateness(app, event_type, [f"agent-{number}" for number in chosen])
        facts["measured"] += len(late)
        for share in SHARES:
            facts[f"{kind}_p{share}"] = percentile(late, share)
    await app.agent_manager.outbox.drain()
    facts["resident_mib"] = psutil.Process().memory_info().rss / 1024 / 1024
    return facts


async def _lateness(app: App, event_type: str, agents: list[str]) -> list[float]:
    """Return after how many milliseconds the turn of each agent was a fact."""
    clock, came = SystemClock(), dict[str, float]()
    due: set[str] = set()
    heard = asyncio.Event()

    async def hear(event: Event) -> None:
        came[event.id] = (clock.now() - event.due_at) / timedelta(milliseconds=1)
        heard.set()

    end = app.event_engine.subscribe(event_type, hear)
    first = clock.now() + AHEAD
    for number, agent_id in enumerate(agents):
        template = EventTemplate(type=event_type, agent_id=agent_id)
        due.add((await app.event_engine.schedule_at(first + number * GAP, template)).id)
    while not due <= came.keys():
        heard.clear()
        await heard.wait()
    end()
    return [came[one] for one in due]
