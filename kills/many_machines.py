"""Two workers on PostgreSQL and Restate: workers and Restate are killed while turns are due."""

import asyncio
import contextlib
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from scripts.restate_server import running
from scripts.world_scale import postgresql

from kills.audit import KINDS, audit
from kills.nursery import Nursery
from kills.report import Report, spread
from kills.workers import (
    PACE,
    PATIENCE_SECONDS,
    Place,
    Worker,
    place,
    plain_environment,
    until,
)
from puppet_engine.core.models import EventDraft
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.wakeups import Wakeups

AGENTS: Final = 12
"""So many that something is always due."""

WAYS: Final = {"one worker": 14, "both workers": 3, "Restate": 3}
"""What is killed, how often of twenty times."""

LONGEST_SECONDS: Final = 2.0
"""How long everybody is at work at the most before something is killed."""

FAR_AHEAD: Final = timedelta(days=3650)

HELD: Final = """
    SELECT agents.id FROM pg_locks l JOIN pg_stat_activity s ON s.pid = l.pid
    JOIN agents ON hashtextextended('puppet_engine.agent ' || agents.id, 0)
        = (l.classid::bigint << 32) | l.objid::bigint
    WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
        AND s.application_name LIKE ANY(%(names)s)
"""
WORK_OF: Final = f"""
    SELECT agent_id FROM events WHERE settled_as IS NULL AND type IN ({KINDS})
        AND due_at <= %(now)s AND agent_id = ANY(%(agents)s)
    UNION SELECT agent_id FROM intents WHERE state IN ('pending', 'sending')
        AND agent_id = ANY(%(agents)s)
"""
NEXT_OF: Final = f"""
    SELECT agent_id, min(settled_at) AS at FROM (
        SELECT agent_id, settled_at FROM events WHERE type IN ({KINDS})
        UNION ALL SELECT agent_id, settled_at FROM intents
    ) AS over WHERE settled_at > %(since)s AND agent_id = ANY(%(agents)s) GROUP BY agent_id
"""


@dataclass(frozen=True, kw_only=True)
class Machines:
    """How often, and with what pending besides."""

    kills: int
    seed: int
    timers: int
    pace: int = PACE


@dataclass
class _Figures:
    """What was measured on the way."""

    killed: Counter[str] = field(default_factory=Counter)
    fell: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    overdue: list[int] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)


async def kill_on_many_machines(
    folder: Path, machines: Machines, report: Report, *, advance: Callable[[], None]
) -> None:
    """Kill as planned, audit at the end, and fill the report; `advance` is told of each kill."""
    with contextlib.ExitStack() as parts:
        database_url = parts.enter_context(postgresql(folder / "postgresql"))
        restate = parts.enter_context(running(folder / "restate"))
        async with place(folder, database_url, restate, agents=AGENTS, pace=machines.pace) as here:
            await _set_timers(here, machines.timers)
            nursery = Nursery(plain_environment())
            parts.callback(nursery.close)
            chance = random.Random(machines.seed)  # noqa: S311 - no secret
            campaign = _Campaign(here, nursery, chance)
            parts.callback(campaign.end_all)
            await campaign.begin()
            for _ in range(machines.kills):
                await campaign.kill_something()
                advance()
            await campaign.finish()
            report.note(machines.kills, audit(await asyncio.to_thread(here.evidence)))
            _sum_up(report, campaign.figures, timers=machines.timers)


async def _set_timers(here: Place, timers: int) -> None:
    """Have so many wake-ups handed over that nobody will see come."""
    await Wakeups(here.storage).install()
    due = here.clock.now() + FAR_AHEAD
    await StoredEvents(here.storage).append([EventDraft(type="noted", due_at=due)] * timers)


class _Campaign:
    """Two workers, and what becomes of them."""

    def __init__(self, here: Place, nursery: Nursery, chance: random.Random) -> None:
        self.figures = _Figures()
        self._here = here
        self._nursery = nursery
        self._chance = chance
        self._workers: list[Worker] = []
        self._born = 0
        self._turns = 0

    async def begin(self) -> None:
        """Start both workers, and wait until something is overdue."""
        self._workers = [self._bear(), self._bear()]
        for worker in self._workers:
            await _aside(until, worker.is_at_work, "a worker")
        await _aside(until, lambda: self._here.turns() >= AGENTS, "the first turns")

    async def kill_something(self) -> None:
        """Let everybody work for a moment, kill, and see how it goes on."""
        await asyncio.sleep(self._chance.uniform(0, LONGEST_SECONDS))
        (way,) = self._chance.choices(list(WAYS), weights=list(WAYS.values()))
        self.figures.killed[way] += 1
        turns = await _aside(self._here.turns)
        self.figures.turns.append(turns - self._turns)
        self._turns = turns
        if way == "Restate":
            await self._kill_restate()
        else:
            both = way == "both workers"
            await self._kill_workers([0, 1] if both else [self._chance.randrange(2)])

    async def finish(self) -> None:
        """Wait until all that is due or under way now is over, and end in good order."""
        now = self._here.clock.now()
        await _aside(until, lambda: not self._here.unsettled(now), "what is overdue")
        for worker in self._workers:
            code = await _aside(worker.end)
            assert code == 0, worker.log()

    def end_all(self) -> None:
        """Leave no process behind."""
        for worker in self._workers:
            worker.kill_if_alive()

    def _bear(self) -> Worker:
        self._born += 1
        return Worker(self._here, f"worker-{self._born}", nursery=self._nursery)

    # -------------------------------------------------------------- workers

    async def _kill_workers(self, places: Sequence[int]) -> None:
        victims = [self._workers[number] for number in places]
        for victim in victims:
            victim.stand_still()
        died, busy = await _aside(self._held_by, victims)
        for victim in victims:
            await _aside(victim.kill)
        for number in places:
            self._workers[number] = self._bear()
        for number in places:
            await _aside(until, self._workers[number].is_at_work, "a worker")
        if busy:
            kind = "a worker's agents" if len(places) == 1 else "both workers' agents"
            took = await self._taken_over(busy, died)
            self.figures.seconds[f"until the first of {kind} goes on"].append(min(took))
            self.figures.seconds[f"until {kind} go on"] += took

    def _held_by(self, victims: Sequence[Worker]) -> tuple[Any, list[str]]:
        """Return the moment, and the agents whose turns the victims were in."""
        now = self._here.clock.now()
        self.figures.overdue.append(self._here.overdue(now))
        names = [f"puppets locks, process {one.process.pid} on %" for one in victims]
        held = [row["id"] for row in self._here.rows(HELD, names=names)]
        self.figures.fell["in a turn" if held else "in no turn"] += 1
        sending = self._here.one("SELECT count(*) FROM intents WHERE state = 'sending'")
        self.figures.fell["sending, outcome not noted"] += bool(sending)
        work = self._here.rows(WORK_OF, now=now, agents=held)
        return now, [row["agent_id"] for row in work]

    async def _taken_over(self, agents: Sequence[str], died: Any) -> list[float]:
        """Return after how many seconds each agent had a turn, or an outcome, again."""

        def all_of_them() -> list[dict[str, Any]] | None:
            rows = self._here.rows(NEXT_OF, since=died, agents=agents)
            return rows if len(rows) == len(agents) else None

        rows = await _aside(until, all_of_them, f"a turn of each of {agents}")
        return [(row["at"] - died).total_seconds() / self._here.pace for row in rows]

    # -------------------------------------------------------------- Restate

    async def _kill_restate(self) -> None:
        now = self._here.clock.now()
        self.figures.overdue.append(await _aside(self._here.overdue, now))
        await _aside(self._here.restate.kill)
        turns = await _aside(self._here.turns)
        began = time.monotonic()
        await _aside(self._here.restate.start)
        self.figures.seconds["until Restate takes requests"].append(time.monotonic() - began)
        await _aside(until, lambda: self._here.turns() > turns, "a turn after Restate's restart")
        self.figures.seconds["until the first turn after Restate's restart"].append(
            time.monotonic() - began
        )


def _sum_up(report: Report, figures: _Figures, *, timers: int) -> None:
    report.kills = dict(figures.killed)
    report.phases = dict(figures.fell.most_common())
    report.seconds = {what: spread(lasted) for what, lasted in figures.seconds.items()}
    report.counts = {
        "agents": AGENTS,
        "timers pending besides": timers,
        "kills while turns were overdue": sum(one > 0 for one in figures.overdue),
        "kills in all": len(figures.overdue),
    }
    report.seconds["turns overdue at a kill (a number)"] = spread(figures.overdue)
    report.seconds["turns between two kills (a number)"] = spread(figures.turns)


async def _aside(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do what blocks in a thread: the world in this process has to go on answering."""
    return await asyncio.wait_for(
        asyncio.to_thread(work, *arguments), timeout=2 * PATIENCE_SECONDS
    )
