"""How much memory it takes to read more rows than fit into it."""

from typing import Final

from benchmarks.contenders import readings
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_most

BENCHMARKS: Final = (
    Benchmark(
        name="stream",
        about="reading every row of a table as an object, in parts.",
        item="rows",
        ours="benchmarks.contenders.timber_rows:stream",
        peers=(
            Peer(
                name="SQLAlchemy yield_per",
                run="benchmarks.contenders.sqlalchemy_by_hand:stream",
            ),
        ),
        figures=(
            Figure(unit="MiB more", of=lambda run: run.resident_mib, target=at_most(5)),
            Figure(
                name="rate", unit="rows per CPU second", of=lambda run: run.size / run.cpu_seconds
            ),
        ),
        scale=Scale(sizes=(10_000, 30_000, 100_000), headline=100_000),
        full_scale=Scale(sizes=(100_000, 300_000, 1_000_000), headline=1_000_000),
        databases=("sqlite", "postgresql"),
        prepare="benchmarks.contenders.sqlalchemy_by_hand:fill",
        expect=readings.expected,
        repetitions=2,
        traced=False,
    ),
)
