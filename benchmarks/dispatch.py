"""How fast events that are queued in memory are taken."""

from typing import Final

from benchmarks.contenders.queued_events import expected
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Sample, Scale, at_least

_RATE: Final = 150_000
"""Events per second; the reference took 62,000 to 133,000, in the order of arrival only."""

_PEERS: Final = (
    Peer(name="asyncio.PriorityQueue", run="benchmarks.contenders.asyncio_queue:dispatch"),
    Peer(name="pyee", run="benchmarks.contenders.pyee_emitter:dispatch"),
)


def _per_cpu_second(run: Sample) -> float:
    return run.size / run.cpu_seconds


def _per_second(run: Sample) -> float:
    return run.size / run.wall_seconds


BENCHMARKS: Final = (
    Benchmark(
        name="dispatch",
        about=(
            "taking queued events of 1,000 agents by priority with ageing, each agent's in order "
            "and every agent in turn; the peers keep one order for all "
            "(the reference, in the order of arrival: 62,000 to 133,000 a second)."
        ),
        item="events",
        ours="benchmarks.contenders.event_engine:dispatch",
        peers=_PEERS,
        figures=(
            Figure(unit="events per CPU second", of=_per_cpu_second, target=at_least(_RATE)),
            Figure(name="rate", unit="events per second", of=_per_second),
        ),
        scale=Scale(sizes=(1_000, 10_000, 100_000), headline=100_000),
        expect=expected,
        repetitions=3,
        traced=False,
    ),
    Benchmark(
        name="dispatch to a listener",
        about="the same, with a listener that is told and a history that is kept.",
        item="events",
        ours="benchmarks.contenders.event_engine:tell",
        figures=(
            Figure(unit="events per CPU second", of=_per_cpu_second),
            Figure(name="rate", unit="events per second", of=_per_second),
        ),
        scale=Scale(sizes=(1_000, 10_000, 100_000), headline=100_000),
        expect=expected,
        repetitions=3,
        traced=False,
        in_full=True,
    ),
)
