"""How fast texts become findable, whatever it costs to embed them."""

from typing import Final

from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_least

BENCHMARKS: Final = (
    Benchmark(
        name="documents taken in",
        about="storing texts with vectors of 384 numbers and their words, embedding left aside; "
        "by hand there are no keys, owners, versions or pieces.",
        item="documents",
        ours="benchmarks.contenders.timber_documents:ingest_batch",
        peers=(
            Peer(
                name="SQLAlchemy Core and FTS5 by hand",
                run="benchmarks.contenders.sqlalchemy_documents:ingest_batch",
            ),
            Peer(
                name="chromadb",
                run="benchmarks.contenders.chromadb_vectors:ingest_batch",
                target=at_least(1),
            ),
        ),
        figures=(
            Figure(unit="documents per CPU second", of=lambda run: run.size / run.cpu_seconds),
        ),
        scale=Scale(sizes=(300, 1_000, 3_000), headline=3_000),
        full_scale=Scale(sizes=(1_000, 10_000, 50_000), headline=50_000),
        databases=("sqlite",),
        expect=lambda size: {"vectors": size},
        repetitions=3,
        traced=False,
    ),
    Benchmark(
        name="rows followed",
        about="storing rows whose model has the flag, until each has its vector.",
        item="rows",
        ours="benchmarks.contenders.timber_documents:follow_rows",
        figures=(Figure(unit="rows per CPU second", of=lambda run: run.size / run.cpu_seconds),),
        scale=Scale(sizes=(300, 1_000, 3_000), headline=3_000),
        databases=("sqlite", "postgresql"),
        expect=lambda size: {"vectors": size},
        repetitions=3,
        traced=False,
        in_full=True,
    ),
)
