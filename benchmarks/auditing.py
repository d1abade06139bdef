"""What it costs that every write of a row is recorded, committed to and chained."""

from typing import Final

from benchmarks.contenders import readings
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale

_COST: Final = (
    Figure(unit="CPU µs per row", of=lambda run: run.cpu_seconds / run.size * 1e6),
    Figure(name="speed", unit="rows/s", of=lambda run: run.size / run.wall_seconds),
)

BENCHMARKS: Final = (
    Benchmark(
        name="audited bulk insert",
        about=(
            "storing rows of ten columns in one transaction, with an entry in the audit log that "
            "commits to all ten values of each; SQLAlchemy records nothing."
        ),
        item="rows",
        ours="benchmarks.contenders.timber_audit:bulk_insert",
        peers=(
            Peer(
                name="SQLAlchemy Core, unaudited",
                run="benchmarks.contenders.sqlalchemy_by_hand:bulk_insert_core",
            ),
        ),
        figures=_COST,
        scale=Scale(sizes=(1_000, 5_000, 20_000), headline=20_000),
        databases=("sqlite", "postgresql"),
        expect=readings.expected,
        repetitions=2,
        traced=False,
        in_full=True,
    ),
    Benchmark(
        name="audited one-row create",
        about=(
            "storing rows of ten columns one at a time, each in a transaction with its entry in "
            "the audit log; SQLAlchemy records nothing."
        ),
        item="rows",
        ours="benchmarks.contenders.timber_audit:create_one_by_one",
        peers=(
            Peer(
                name="SQLAlchemy session, unaudited",
                run="benchmarks.contenders.sqlalchemy_by_hand:create_one_by_one",
            ),
        ),
        figures=_COST,
        scale=Scale(sizes=(50, 150, 500), headline=500),
        databases=("sqlite", "postgresql"),
        expect=readings.expected,
        repetitions=2,
        traced=False,
        in_full=True,
    ),
    Benchmark(
        name="audited loads",
        about="loading rows of ten columns, each load of which is recorded, until all are stored.",
        item="rows",
        ours="benchmarks.contenders.timber_audit:load",
        figures=_COST,
        scale=Scale(sizes=(1_000, 3_000, 10_000), headline=10_000),
        databases=("sqlite", "postgresql"),
        expect=readings.expected,
        repetitions=2,
        traced=False,
        in_full=True,
    ),
    Benchmark(
        name="audit verify",
        about="verifying every entry of an audit log, page by page.",
        item="entries",
        ours="benchmarks.contenders.timber_audit:verify",
        figures=_COST,
        scale=Scale(sizes=(1_000, 5_000, 20_000), headline=20_000),
        databases=("sqlite", "postgresql"),
        expect=lambda size: {"entries": size, "problems": 0},
        repetitions=2,
        traced=False,
        in_full=True,
    ),
)
