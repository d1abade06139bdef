"""Timber: its search by vectors on SQLite."""

import contextlib
from collections.abc import Iterator
from typing import Any

from benchmarks.contenders.vector_data import (
    DIMENSION,
    LIMIT,
    OWNERS,
    QUERIES,
    Data,
    data_of,
    trial,
)
from benchmarks.harness.stage import Stage, Trial
from sqlalchemy import Connection, insert

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.common.vector.base import Scope
from timber.common.vector.exact_index import ExactIndex
from timber.common.vector.exact_search import nearest
from timber.common.vector.matrix import Block
from timber.common.vector.partitions import Partitions
from timber.common.vector.tables import embeddings

ROOM = 4_000_000_000
SOURCE = "notes"


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search all vectors."""
    with _searching(stage, lambda _: Scope(SOURCE), "truth") as ready:
        yield ready


@contextlib.contextmanager
def search_owner(stage: Stage) -> Iterator[Trial]:
    """Search those of one owner, the same each time."""
    with _searching(stage, lambda _: Scope(SOURCE, "0"), "truth_of_one") as ready:
        yield ready


@contextlib.contextmanager
def search_owners(stage: Stage) -> Iterator[Trial]:
    """Search those of one owner, another each time."""

    def scope(place: int) -> Scope:
        return Scope(SOURCE, str(place % OWNERS))

    with _searching(stage, scope, "truth_of_owner") as ready:
        yield ready


@contextlib.contextmanager
def search_topic(stage: Stage) -> Iterator[Trial]:
    """Search those with one topic in their metadata."""

    def scope(place: int) -> Scope:
        return Scope(SOURCE, filters={"topic": place % OWNERS})

    with _searching(stage, scope, "truth_of_owner") as ready:
        yield ready


@contextlib.contextmanager
def first_search(stage: Stage) -> Iterator[Trial]:
    """Search once, when nothing is in memory yet."""
    data = data_of(stage)
    found: list[Any] = []
    with _filled(data) as connection:
        index = ExactIndex(partitions=Partitions(limit_bytes=ROOM))

        def work() -> None:
            hits = index.nearest(connection, data.queries[0], scope=Scope(SOURCE), limit=LIMIT)
            found.extend(hit.chunk_id for hit in hits)

        yield Trial(work=work, check=lambda: {"right": int(found == data.truth[0].tolist())})


@contextlib.contextmanager
def one_pass(stage: Stage) -> Iterator[Trial]:
    """Search float32 alone, without the short form."""
    data = data_of(stage)
    numbers = data_numbers(len(data.vectors))
    block = Block(numbers=numbers, chunk_ids=numbers, vectors=data.vectors)

    def ask(place: int) -> list[int]:
        hits = nearest([block], data.queries[place], limit=LIMIT)
        return [hit.chunk_id for hit in hits]

    yield trial(ask, data.truth, queries=QUERIES)


def data_numbers(count: int) -> Any:
    """Return the numbers from one on."""
    import numpy as np  # noqa: PLC0415 - nothing else here needs it

    return np.arange(1, count + 1)


@contextlib.contextmanager
def _searching(stage: Stage, scope: Any, truth: str) -> Iterator[Trial]:
    data = data_of(stage)
    with _filled(data) as connection:
        partitions = Partitions(limit_bytes=ROOM)
        index = ExactIndex(partitions=partitions)

        def ask(place: int) -> list[int]:
            query = data.queries[place]
            hits = index.nearest(connection, query, scope=scope(place), limit=LIMIT)
            return [hit.chunk_id for hit in hits]

        for place in range(OWNERS if truth == "truth_of_owner" else 1):
            ask(place)
        expected = getattr(data, truth)
        yield trial(
            ask, expected, queries=QUERIES, memory_mib=lambda: partitions.nbytes / 1024 / 1024
        )


@contextlib.contextmanager
def _filled(data: Data) -> Iterator[Connection]:
    """Give a connection to the database, which the first run of a size fills."""
    path = data.folder / "timber.db"
    is_new = not path.exists()
    settings = TimberSettings(database_url=f"sqlite:///{path}", packaged_models=False)
    with Timber().opened(settings) as timber:
        if is_new:
            _fill(timber, data)
        with timber.database.engine.connect() as connection:
            yield connection


def _fill(timber: Timber, data: Data) -> None:
    source, partition, chunk = (
        timber.models.get(f"Vector{name}").__table__ for name in ("Source", "Partition", "Chunk")
    )
    with timber.database.engine.begin() as connection:
        connection.execute(insert(source).values(source_type=SOURCE, dimension=DIMENSION))
        connection.execute(
            insert(partition),
            [
                {"partition_id": number + 1, "source_type": SOURCE, "owner": str(number)}
                for number in range(OWNERS)
            ],
        )
        rows = [
            {
                "chunk_id": number + 1,
                "partition_id": number % OWNERS + 1,
                "source_type": SOURCE,
                "source_id": str(number),
                "ordinal": 0,
                "owner": str(number % OWNERS),
                "content": f"note {number}",
                "attributes": {"topic": number % OWNERS, "number": number},
            }
            for number in range(len(data.vectors))
        ]
        connection.execute(insert(chunk), rows)
        connection.execute(
            insert(embeddings),
            [
                {
                    "chunk_id": number + 1,
                    "partition_id": number % OWNERS + 1,
                    "embedding": vector.tobytes(),
                }
                for number, vector in enumerate(data.vectors)
            ],
        )
