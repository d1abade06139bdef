"""What it costs to have the models in files instead of in Python."""

from typing import Final

from benchmarks.contenders import many_models
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_most

BENCHMARKS: Final = (
    Benchmark(
        name="model loading",
        about="making mapped classes of fifteen columns each; "
        "the peer imports the same classes, written by hand and compiled before.",
        item="models",
        ours="benchmarks.contenders.timber_models:load",
        peers=(
            Peer(
                name="SQLAlchemy classes",
                run="benchmarks.contenders.sqlalchemy_models:load",
                target=at_most(1.3),
            ),
        ),
        figures=(Figure(unit="CPU ms", of=lambda run: run.cpu_seconds * 1e3),),
        scale=Scale(sizes=(25, 75, 200), headline=200),
        databases=("sqlite", "postgresql"),
        expect=many_models.expected,
        repetitions=2,
        traced=False,
    ),
)
