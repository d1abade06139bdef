"""What it costs to store one row in a transaction of its own."""

from typing import Final

from benchmarks.contenders import readings
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_most

BENCHMARKS: Final = (
    Benchmark(
        name="one-row create",
        about="storing rows of ten columns one at a time, each in a transaction of its own.",
        item="rows",
        ours="benchmarks.contenders.timber_rows:create_one_by_one",
        peers=(
            Peer(
                name="SQLAlchemy session",
                run="benchmarks.contenders.sqlalchemy_by_hand:create_one_by_one",
                target=at_most(1.1),
            ),
        ),
        figures=(Figure(unit="CPU µs per row", of=lambda run: run.cpu_seconds / run.size * 1e6),),
        scale=Scale(sizes=(50, 150, 500), headline=500),
        full_scale=Scale(sizes=(150, 500, 3_000), headline=3_000),
        databases=("sqlite", "postgresql"),
        expect=readings.expected,
        repetitions=5,  # a run is short, and the machine's mood in it is not
    ),
)
