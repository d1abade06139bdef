"""What it takes to export, and to erase, all rows about a person."""

from typing import Final

from benchmarks.contenders import timber_gdpr
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_most

_SCALE: Final = Scale(sizes=(1_000, 3_000, 10_000), headline=10_000)
_FULL: Final = Scale(sizes=(10_000, 30_000, 100_000), headline=100_000)
_FIGURES: Final = (
    Figure(unit="MiB more", of=lambda run: run.resident_mib, target=at_most(16)),
    Figure(
        name="rate",
        unit="rows per CPU second",
        of=lambda run: run.size / run.cpu_seconds,
        compared=True,
    ),
    Figure(name="time", unit="s", of=lambda run: run.wall_seconds, compared=True),
)

BENCHMARKS: Final = (
    Benchmark(
        name="export of a person",
        about="writing as JSON all rows about a person, half of them found through a join, "
        "beside as many of another person. timber-common's way, written by hand in "
        "the shape of its `gdpr/deletion.py`, knows rows with a `user_id` alone, so there both "
        "tables have one.",
        item="rows",
        ours="benchmarks.contenders.timber_gdpr:export",
        peers=(
            Peer(
                name="SQLAlchemy by hand",
                run="benchmarks.contenders.sqlalchemy_person:export",
            ),
            Peer(
                name="timber-common's way",
                run="benchmarks.contenders.reference_person:export",
            ),
        ),
        figures=_FIGURES,
        scale=_SCALE,
        full_scale=_FULL,
        databases=("sqlite", "postgresql"),
        expect=timber_gdpr.exported,
        repetitions=2,
        traced=False,
    ),
    Benchmark(
        name="erasure of a person",
        about="deleting these rows: by a saga in short transactions, with a certificate; by "
        "hand by two statements in one transaction, and nothing is proved; in timber-common's way "
        "all that was erased stays in the audit log.",
        item="rows",
        ours="benchmarks.contenders.timber_gdpr:erase",
        peers=(
            Peer(
                name="SQLAlchemy by hand",
                run="benchmarks.contenders.sqlalchemy_person:erase",
            ),
            Peer(
                name="timber-common's way",
                run="benchmarks.contenders.reference_person:erase",
            ),
        ),
        figures=_FIGURES,
        scale=_SCALE,
        full_scale=_FULL,
        databases=("sqlite", "postgresql"),
        expect=timber_gdpr.left,
        repetitions=2,
        traced=False,
    ),
)
