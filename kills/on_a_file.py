"""One process on an SQLite file, killed again and again while it is busy."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kills.lives import Death, Lives, lives
from kills.report import Report, spread
from puppet_engine.core.failpoints import Failpoint

LONGEST_SECONDS: Final = 0.6
"""How long after its first turn a life is killed at the latest."""

DEEPEST_PASSAGE: Final = 40
"""At which passage of a failpoint a life is killed at the latest."""

NOT_BEGUN: Final = 10
"""Of so many random kills one falls before the first turn is over."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How often, and how."""

    kills: int
    """At random moments."""
    kills_at_each_point: int
    audit_every: int
    seed: int


async def kill_on_a_file(
    folder: Path, plan: Plan, report: Report, *, advance: Callable[[], None]
) -> None:
    """Kill as planned, audit, and fill the report; `advance` is told of each kill.

    Random kills come first and last; those at failpoints are mixed among them.
    """
    chance = random.Random(plan.seed)  # noqa: S311 - no secret
    ways: list[Failpoint | None] = [None] * plan.kills
    ways += [point for point in Failpoint for _ in range(plan.kills_at_each_point)]
    chance.shuffle(ways)
    deaths: list[Death] = []
    async with lives(folder) as life:
        for done, point in enumerate(ways, start=1):
            deaths.append(await _kill(life, point, chance))
            advance()
            if done % plan.audit_every == 0 and done < len(ways):
                report.note(done, await life.settle())
        report.note(len(ways), await life.settle())
    _sum_up(report, ways, deaths)


async def _kill(life: Lives, point: Failpoint | None, chance: random.Random) -> Death:
    if point is not None:
        return await life.die_at(point, chance.randint(1, DEEPEST_PASSAGE))
    early = chance.randrange(NOT_BEGUN) == 0
    return await life.die_after(
        chance.uniform(0, LONGEST_SECONDS), of="alive" if early else "busy"
    )


def _sum_up(report: Report, ways: list[Failpoint | None], deaths: list[Death]) -> None:
    report.kills = dict(Counter("at a random moment" if one is None else one for one in ways))
    fell = Counter(phase for one in deaths for phase in one.phases())
    report.phases = dict(fell.most_common())
    report.turns_per_life = spread([one.turns for one in deaths])
    report.counts = {
        "turns before a kill": sum(one.turns for one in deaths),
        "effects before a kill": sum(one.effects for one in deaths),
        "lives that were killed before a turn was over": sum(not one.turns for one in deaths),
        "intents committed and unsent at a kill": sum(one.unsent for one in deaths),
        "intents with an unknown outcome at a kill": sum(one.unknown for one in deaths),
        "posts public and not noted at a kill": sum(one.unnoted for one in deaths),
    }
    report.seconds = {
        "from birth to the first turn": spread([one.start_seconds for one in deaths]),
        "busy until killed": spread([one.busy_seconds for one in deaths]),
    }
