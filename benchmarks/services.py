"""What the services cost beside the same statements written by hand."""

from typing import Final

from benchmarks.contenders import service_work
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_least

_PER_SECOND: Final = Figure(unit="rounds/s", of=lambda run: run.size / run.cpu_seconds)

BENCHMARKS: Final = (
    Benchmark(
        name="services",
        about=(
            "rounds of a session created, changed and read, a notification, and an event, each "
            "in a transaction of its own, per second of processor time."
        ),
        item="rounds",
        ours="benchmarks.contenders.timber_services:rounds",
        peers=(
            Peer(
                name="SQLAlchemy session",
                run="benchmarks.contenders.sqlalchemy_services:rounds",
                target=at_least(0.9),
            ),
        ),
        figures=(_PER_SECOND,),
        scale=Scale(sizes=(20, 60, 150), headline=150),
        full_scale=Scale(sizes=(100, 300, 1_500), headline=1_500),
        databases=("sqlite", "postgresql"),
        expect=service_work.expected,
        repetitions=2,
        traced=False,
    ),
)
