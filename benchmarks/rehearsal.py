"""How much life a rehearsal gets out of a machine."""

from typing import Final

from benchmarks.harness.benchmark import Benchmark, Figure, Scale, at_least

_SPEED: Final = 1.0
"""Virtual hours per wall second: a day of the cast's life while one waits for it."""

BENCHMARKS: Final = (
    Benchmark(
        name="rehearsal",
        about="letting the default cast live, without an error and always the same life.",
        item="virtual hours",
        ours="benchmarks.contenders.puppets:rehearse",
        figures=(
            Figure(
                name="speed",
                unit="virtual hours per wall second",
                of=lambda run: run.size / run.wall_seconds,
                target=at_least(_SPEED),
            ),
            Figure(
                name="processor time",
                unit="CPU s per virtual hour",
                of=lambda run: run.cpu_seconds / run.size,
            ),
            Figure(name="events", unit="events", of=lambda run: float(run.facts["events"])),
        ),
        scale=Scale(sizes=(1, 3, 24), headline=24),
        expect=lambda _hours: {"errors": 0},
        alike=("digest",),
        repetitions=2,
        traced=False,
    ),
)
