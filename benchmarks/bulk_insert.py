"""How fast many rows are stored at once."""

from typing import Final

from benchmarks.contenders import readings
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_least

BENCHMARKS: Final = (
    Benchmark(
        name="bulk insert",
        about="storing rows of ten columns, one of them indexed, in one transaction.",
        item="rows",
        ours="benchmarks.contenders.timber_rows:bulk_insert",
        peers=(
            Peer(
                name="SQLAlchemy Core",
                run="benchmarks.contenders.sqlalchemy_by_hand:bulk_insert_core",
                target=at_least(0.9),
            ),
            Peer(
                name="SQLModel",
                run="benchmarks.contenders.sqlmodel_rows:bulk_insert",
                target=at_least(4),
            ),
            Peer(
                name="Advanced Alchemy",
                run="benchmarks.contenders.advanced_alchemy_rows:bulk_insert",
                target=at_least(4),
            ),
        ),
        figures=(Figure(unit="rows per CPU second", of=lambda run: run.size / run.cpu_seconds),),
        scale=Scale(sizes=(1_000, 3_000, 10_000), headline=10_000),
        full_scale=Scale(sizes=(5_000, 20_000, 100_000), headline=100_000),
        databases=("sqlite", "postgresql"),
        expect=readings.expected,
        repetitions=3,
    ),
)
