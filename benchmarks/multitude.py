"""What a multitude of mostly idle agents costs: its arrival, its start, its punctuality."""

from typing import Final

from benchmarks.contenders.multitude import KINDS, WOKEN
from benchmarks.harness.benchmark import Benchmark, Figure, Scale, at_most

_SMALL: Final = Scale(sizes=(500, 1_000, 3_000), headline=3_000)
_LARGE: Final = Scale(sizes=(10_000, 100_000, 1_000_000), headline=1_000_000)


def _late(kind: str, share: int, target: float | None) -> Figure:
    return Figure(
        name=f"{kind}, p{share}",
        unit="ms after it was due",
        of=lambda run: float(run.facts[f"{kind}_p{share}"]),
        target=None if target is None else at_most(target),
    )


BENCHMARKS: Final = (
    Benchmark(
        name="a multitude arrives",
        about="creating so many agents, each with a persona, a memory and two timers.",
        item="agents",
        ours="benchmarks.contenders.multitude:arrive",
        figures=(
            Figure(unit="CPU µs per agent", of=lambda run: run.cpu_seconds / run.size * 1e6),
            Figure(name="time", unit="s", of=lambda run: run.wall_seconds),
            Figure(
                name="database",
                unit="bytes per agent",
                of=lambda run: float(run.facts["bytes"]) / run.size,
            ),
        ),
        scale=_SMALL,
        full_scale=_LARGE,
        databases=("sqlite",),
        expect=lambda agents: {"agents": agents},
        repetitions=1,
        traced=False,
    ),
    Benchmark(
        name="a multitude lives",
        about=(
            "starting the whole engine over so many agents; then waking idle ones, ten a second: "
            "how long after its moment the turn of one is a fact that looks whether something is "
            "to go out (woken), and of one that remembers and writes a post (spoken)."
        ),
        item="agents",
        ours="benchmarks.contenders.multitude:wake",
        figures=(
            Figure(unit="s to start", of=lambda run: run.wall_seconds, target=at_most(60)),
            Figure(
                name="memory of the process",
                unit="MiB",
                of=lambda run: float(run.facts["resident_mib"]),
                target=at_most(2_048),
            ),
            _late("woken", 50, None),
            _late("woken", 95, 100),
            _late("spoken", 50, None),
            _late("spoken", 95, 1_000),
        ),
        scale=_SMALL,
        full_scale=_LARGE,
        databases=("sqlite",),
        prepare="benchmarks.contenders.multitude:arrive",
        expect=lambda _agents: {"measured": len(KINDS) * WOKEN},
        repetitions=1,
        traced=False,
    ),
)
