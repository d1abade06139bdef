"""How large a population a machine can simulate."""

from typing import Final

from benchmarks.contenders.puppets import DAYS
from benchmarks.harness.benchmark import Benchmark, Figure, Scale, at_least

_SPEED: Final = 1000 * 7 / 600
"""Agent days per wall second: a thousand agents live a week in ten minutes, report included."""

BENCHMARKS: Final = (
    Benchmark(
        name="simulation",
        about="a week of a whole population, every promise held to account, with its report.",
        item="agents",
        ours="benchmarks.contenders.puppets:simulate",
        figures=(
            Figure(
                name="speed",
                unit="agent days per wall second",
                of=lambda run: run.size * DAYS / run.wall_seconds,
                target=at_least(_SPEED),
            ),
            Figure(
                name="processor time",
                unit="CPU ms per agent day",
                of=lambda run: 1000 * run.cpu_seconds / (run.size * DAYS),
            ),
            Figure(name="time", unit="s", of=lambda run: run.wall_seconds),
            Figure(name="events", unit="events", of=lambda run: float(run.facts["events"])),
        ),
        scale=Scale(sizes=(3, 6, 12), headline=12),
        full_scale=Scale(sizes=(100, 300, 1000), headline=1000),
        expect=lambda _agents: {"broken": 0, "given_up": 0},
        alike=("digest",),
        repetitions=2,
        traced=False,
    ),
)
