"""What it costs to encrypt a field of a kilobyte, alone and on its way to the database.

The limit, twice as fast as Fernet, is that of sealing and opening the field: of a whole row most
is spent on the row, by whoever seals it.
"""

from typing import Final

from benchmarks.contenders import letters
from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Sample, Scale, at_least, at_most

_FIGURES: Final = (
    Figure(unit="rows per CPU second", of=lambda run: run.size / run.cpu_seconds),
    Figure(
        unit="µs of CPU a row",
        name="cost of a row",
        of=lambda run: run.cpu_seconds / run.size * 1e6,
        compared=True,
    ),
)
_SCALE: Final = Scale(sizes=(1_000, 3_000, 10_000), headline=10_000)
_FIELD_SCALE: Final = Scale(sizes=(2_000, 5_000, 20_000), headline=20_000)
_FULL_SCALE: Final = Scale(sizes=(5_000, 20_000, 50_000), headline=50_000)

_FIELD_FIGURES: Final = (
    Figure(unit="fields per CPU second", of=lambda run: run.size / run.cpu_seconds),
    Figure(
        unit="µs of CPU a field",
        name="cost of a field",
        of=lambda run: run.cpu_seconds / run.size * 1e6,
        compared=True,
        target=at_most(10),
    ),
)


def _beyond(run: Sample) -> float:
    """Return by how many microseconds of CPU a sealed row costs more than one in clear."""
    sealed, clear = (float(run.facts[f"{one} CPU seconds"]) for one in ("sealed", "clear"))
    return (sealed - clear) / run.size * 1e6


BENCHMARKS: Final = (
    Benchmark(
        name="sealing a field",
        about="encrypting a text of 1 KB for its row, before anything is written.",
        item="fields",
        ours="benchmarks.contenders.timber_letters:seal_fields",
        peers=(
            Peer(
                name="Fernet, from text to text",
                run="benchmarks.contenders.fernet_letters:seal_fields",
                target=at_least(2),
            ),
        ),
        figures=_FIELD_FIGURES,
        scale=_FIELD_SCALE,
        expect=letters.expected_fields,
        traced=False,
    ),
    Benchmark(
        name="opening a field",
        about="decrypting a text of 1 KB that was read with its row.",
        item="fields",
        ours="benchmarks.contenders.timber_letters:open_fields",
        peers=(
            Peer(
                name="Fernet, from text to text",
                run="benchmarks.contenders.fernet_letters:open_fields",
                target=at_least(2),
            ),
        ),
        figures=_FIELD_FIGURES,
        scale=_FIELD_SCALE,
        expect=letters.expected_texts,
        traced=False,
    ),
    Benchmark(
        name="sealed beyond unsealed row",
        about="what storing a row costs more because its text of 1 KB is encrypted: the same rows "
        "in bulk into a table with the flag and into one without, in turns.",
        item="rows",
        ours="benchmarks.contenders.timber_letters:both_bulk_inserts",
        figures=(
            Figure(unit="µs of CPU a row", of=_beyond, target=at_most(10)),
            Figure(
                name="the row in clear",
                unit="µs of CPU a row",
                of=lambda run: float(run.facts["clear CPU seconds"]) / run.size * 1e6,
            ),
        ),
        scale=_SCALE,
        full_scale=_FULL_SCALE,
        databases=("sqlite", "postgresql"),
        expect=letters.expected_of_both,
        repetitions=3,
        traced=False,
    ),
    Benchmark(
        name="sealed bulk insert",
        about="storing rows with an encrypted text of 1 KB in one transaction, the fastest way.",
        item="rows",
        ours="benchmarks.contenders.timber_letters:bulk_insert",
        peers=(
            Peer(
                name="Fernet in a column type",
                run="benchmarks.contenders.fernet_letters:bulk_insert_core",
            ),
        ),
        figures=_FIGURES,
        scale=_SCALE,
        full_scale=_FULL_SCALE,
        databases=("sqlite", "postgresql"),
        expect=letters.expected,
        repetitions=2,
        traced=False,
    ),
    Benchmark(
        name="sealed insert by the ORM",
        about="storing rows with an encrypted text of 1 KB by one statement of the ORM.",
        item="rows",
        ours="benchmarks.contenders.timber_letters:insert_many",
        peers=(
            Peer(
                name="Fernet in a column type",
                run="benchmarks.contenders.fernet_letters:insert_many",
            ),
        ),
        figures=_FIGURES,
        scale=_SCALE,
        full_scale=_FULL_SCALE,
        databases=("sqlite", "postgresql"),
        expect=letters.expected,
        repetitions=2,
        traced=False,
        in_full=True,
    ),
)
