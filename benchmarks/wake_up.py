"""How late events come, and what a million of them cost."""

from typing import Final

from benchmarks.contenders.latencies import MEASURED
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_most

_LATENESS: Final = (
    Figure(
        name="scheduled, p99",
        unit="ms late",
        of=lambda run: float(run.facts["scheduled_p99"]),
        target=at_most(10),
    ),
    Figure(
        name="queued, p99",
        unit="ms late",
        of=lambda run: float(run.facts["queued_p99"]),
        target=at_most(10),
    ),
    Figure(
        name="scheduled, p50", unit="ms late", of=lambda run: float(run.facts["scheduled_p50"])
    ),
)

BENCHMARKS: Final = (
    Benchmark(
        name="wake-up",
        about="taking one event at a time, due now or in 25 ms, while so many timers are pending.",
        item="timers",
        ours="benchmarks.contenders.event_engine:wake_up",
        peers=(
            Peer(
                name="APScheduler in memory",
                run="benchmarks.contenders.apscheduler_timers:wake_up",
            ),
        ),
        figures=_LATENESS,
        scale=Scale(sizes=(1_000, 10_000, 100_000), headline=100_000),
        expect=lambda _timers: {"measured": MEASURED},
        repetitions=1,
        traced=False,
    ),
    Benchmark(
        name="start with timers",
        about=(
            "opening a database in which so many agents have a timer, until events are taken; "
            "then how late those are taken that are due in 25 ms."
        ),
        item="timers",
        ours="benchmarks.contenders.event_engine:start",
        figures=(
            Figure(unit="s to start", of=lambda run: run.wall_seconds, target=at_most(60)),
            Figure(
                name="memory of the process",
                unit="MiB",
                of=lambda run: float(run.facts["resident_mib"]),
                target=at_most(2_048),
            ),
            _LATENESS[0],
        ),
        scale=Scale(sizes=(1_000, 5_000, 20_000), headline=20_000),
        full_scale=Scale(sizes=(10_000, 100_000, 1_000_000), headline=1_000_000),
        databases=("sqlite",),
        prepare="benchmarks.contenders.event_engine:fill",
        expect=lambda _timers: {"measured": MEASURED},
        repetitions=1,
        traced=False,
    ),
)
