"""What a cache spares, and how soon another process sees a write."""

from typing import Final

from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_least, at_most

_ROWS: Final = (
    Figure(unit="rows/s", of=lambda run: run.size / run.cpu_seconds),
    Figure(name="cost", unit="CPU µs per row", of=lambda run: run.cpu_seconds / run.size * 1e6),
)

BENCHMARKS: Final = (
    Benchmark(
        name="cache lookup",
        about="looking up a value that the process knows, whether it is still true included.",
        item="lookups",
        ours="benchmarks.contenders.timber_cache:look_up",
        peers=(
            Peer(
                name="dogpile.cache in memory",
                run="benchmarks.contenders.dogpile_region:look_up",
                target=at_most(1),
            ),
            Peer(
                name="cashews in memory",
                run="benchmarks.contenders.cashews_memory:look_up",
                target=at_most(1),
            ),
            Peer(
                name="aiocache in memory",
                run="benchmarks.contenders.aiocache_memory:look_up",
                target=at_most(1),
            ),
        ),
        figures=(
            Figure(
                unit="CPU µs per lookup",
                of=lambda run: run.cpu_seconds / run.size * 1e6,
                target=at_most(1),
            ),
        ),
        scale=Scale(sizes=(10_000, 30_000, 100_000), headline=100_000),
        expect=lambda size: {"found": size},
        repetitions=3,
    ),
    Benchmark(
        name="cached row by key",
        about="`session.get` of rows that the process knows; SQLAlchemy reads the database.",
        item="rows",
        ours="benchmarks.contenders.timber_cache:read_by_key",
        peers=(
            Peer(
                name="SQLAlchemy session",
                run="benchmarks.contenders.sqlalchemy_by_hand:read_by_key",
            ),
        ),
        figures=_ROWS,
        scale=Scale(sizes=(300, 1_000, 3_000), headline=3_000),
        databases=("sqlite", "postgresql"),
        expect=lambda size: {"found": size},
        repetitions=3,
        traced=False,
        in_full=True,
    ),
    Benchmark(
        name="cached row for itself",
        about=(
            "`db_service.get` of rows that the process knows; SQLAlchemy reads the database, in "
            "a session for each, and Advanced Alchemy its cache in memory."
        ),
        item="rows",
        ours="benchmarks.contenders.timber_cache:read_one_by_one",
        peers=(
            Peer(
                name="SQLAlchemy session",
                run="benchmarks.contenders.sqlalchemy_by_hand:read_one_by_one",
                target=at_least(20),
            ),
            Peer(
                name="Advanced Alchemy cache",
                run="benchmarks.contenders.advanced_alchemy_cache:read_one_by_one",
                target=at_least(1),
            ),
        ),
        figures=_ROWS,
        scale=Scale(sizes=(300, 1_000, 3_000), headline=3_000),
        databases=("sqlite", "postgresql"),
        expect=lambda size: {"found": size},
        repetitions=2,
        traced=False,
    ),
    Benchmark(
        name="cached row from Redis",
        about=(
            "`db_service.get` of rows that only Redis knows, whether they are still true "
            "included; redis-py gets texts that nobody keeps true, and makes no objects."
        ),
        item="rows",
        ours="benchmarks.contenders.timber_cache:read_through_redis",
        peers=(
            Peer(
                name="Advanced Alchemy cache",
                run="benchmarks.contenders.advanced_alchemy_cache:read_through_redis",
                target=at_least(1),
            ),
            Peer(
                name="redis-py by hand",
                run="benchmarks.contenders.redis_by_hand:read_through_redis",
            ),
        ),
        figures=_ROWS,
        scale=Scale(sizes=(200, 600, 2_000), headline=2_000),
        databases=("postgresql",),
        expect=lambda size: {"found": size},
        repetitions=2,
        traced=False,
    ),
    Benchmark(
        name="write seen elsewhere",
        about="how late another process is told of a write, with a bound of 100 ms.",
        item="writes",
        ours="benchmarks.contenders.timber_cache:seen_elsewhere",
        figures=(
            Figure(name="p50", unit="ms late", of=lambda run: float(run.facts["p50"])),
            Figure(
                name="p99",
                unit="ms late",
                of=lambda run: float(run.facts["p99"]),
                target=at_most(100),
            ),
        ),
        scale=Scale(sizes=(5, 10, 100), headline=100),
        databases=("sqlite", "postgresql"),
        expect=lambda size: {"seen": size},
        repetitions=1,
        traced=False,
    ),
)
