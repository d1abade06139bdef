"""The vectors that PostgreSQL searches, twice: in Timber's tables, and in one made by hand."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from benchmarks.contenders.vector_data import (
    DIMENSION,
    LIMIT,
    OWNERS,
    QUERIES,
    Floats,
    clustered,
)
from benchmarks.harness.stage import Facts, Stage, Trial
from sqlalchemy import Connection

SOURCE: Final = "notes"

_MEMORY: Final = "effective_cache_size = '12GB'"
_MEMORY_OF_A_GRAPH: Final = "maintenance_work_mem = '3GB'"

_TABLES: Final = (
    "INSERT INTO vector_sources (number, source_type, dimension, version)"
    f" VALUES (1, '{SOURCE}', {DIMENSION}, 'v')",
    "INSERT INTO vector_partitions (partition_id, source_type, owner, version)"
    f" SELECT n + 1, '{SOURCE}', n, 'v' FROM generate_series(0, {OWNERS - 1}) AS n",
    "INSERT INTO vector_chunks (chunk_id, partition_id, source_type, source_id, ordinal, owner,"
    f" content, attributes, created_at) SELECT id, owner + 1, '{SOURCE}', id, 0, owner,"
    " 'note ' || id, about, now() FROM by_hand ORDER BY id",
    "INSERT INTO vector_embeddings (chunk_id, partition_id, embedding)"
    " SELECT id, owner + 1, embedding FROM by_hand ORDER BY id",
)


@contextlib.contextmanager
def fill(stage: Stage) -> Iterator[Trial]:
    """Fill both, with the same indexes."""
    # Those who search by hand read this module, too, and have no Timber.
    from timber.common.runtime import Timber  # noqa: PLC0415
    from timber.common.settings import TimberSettings  # noqa: PLC0415
    from timber.common.vector.hnsw import ensure_hnsw  # noqa: PLC0415

    def work() -> None:
        settings = TimberSettings(
            database_url=stage.database_url,
            packaged_models=False,
            statement_timeout_seconds=0,  # a graph takes minutes to make
        )
        with Timber().opened(settings) as timber:
            engine = timber.database.engine
            with engine.begin() as connection:
                # As who has so many vectors tells PostgreSQL how much memory there is.
                database = f'"{engine.url.database}"'
                connection.exec_driver_sql(f"ALTER DATABASE {database} SET {_MEMORY}")
            engine.dispose()
            with engine.begin() as connection:
                connection.exec_driver_sql(f"SET LOCAL {_MEMORY_OF_A_GRAPH}")
                _make_by_hand(connection, clustered(np.random.default_rng(7), stage.size))
                for statement in _TABLES:
                    connection.exec_driver_sql(statement)
            ensure_hnsw(engine, DIMENSION, from_count=1)
            with engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql("VACUUM ANALYZE")

    yield Trial(work=work, check=lambda: {"vectors": stage.size})


def _make_by_hand(connection: Connection, vectors: Floats) -> None:
    connection.exec_driver_sql(
        "CREATE TABLE by_hand (id bigint PRIMARY KEY, owner integer NOT NULL,"
        f" about jsonb NOT NULL, body text NOT NULL, embedding vector({DIMENSION}) NOT NULL)"
    )
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(
        "COPY by_hand (id, owner, about, body, embedding) FROM STDIN"
    ) as copy:
        for number, vector in enumerate(vectors):
            owner = number % OWNERS
            about = f'{{"topic": {owner}, "thousandth": {number % 1000}, "tenth": {number % 10}}}'
            written = f"[{','.join(map(repr, vector.tolist()))}]"
            copy.write_row((number + 1, owner, about, f"note {number + 1}", written))
    for index in (
        "btree (owner)",
        "gin (about jsonb_path_ops)",
        "hnsw (embedding vector_cosine_ops)",
    ):
        connection.exec_driver_sql(f"CREATE INDEX ON by_hand USING {index}")


def queries() -> Floats:
    """Return what is searched for."""
    chance = np.random.default_rng(8)
    return clustered(chance, QUERIES)


def is_thousandth(place: int) -> str:
    """Return the SQL of the thousandth that a query is meant for."""
    return f"mod(id - 1, 1000) = {place % OWNERS}"


def is_tenth(place: int) -> str:
    """Return the SQL of the tenth that a query is meant for."""
    return f"mod(id - 1, 10) = {place % 10}"


def trial(
    connection: Connection, search: Callable[[int], Sequence[int]], where: Callable[[int], str]
) -> Trial:
    """Return the trial of a search that takes a query's place and returns numbers.

    `where` is the SQL of what it searches among, for the truth.
    """
    found: list[Sequence[int]] = []
    asked = queries()
    truth = [_nearest(connection, asked[place], where(place)) for place in range(QUERIES)]
    for place in range(QUERIES):
        search(place)

    def work() -> None:
        found.extend([search(place) for place in range(QUERIES)])

    def check() -> Facts:
        pairs = zip(found, truth, strict=True)
        right = sum(len(set(some) & nearest) for some, nearest in pairs)
        return {
            "queries": QUERIES,
            "recall": round(right / sum(map(len, truth)), 3),
            "found": sum(map(len, found)),
        }

    return Trial(work=work, check=check)


def _nearest(connection: Connection, query: Floats, where: str) -> set[int]:
    """Return the nearest, as PostgreSQL finds them without an index."""
    statement = (
        f"SELECT id FROM by_hand WHERE {where} ORDER BY (embedding <=> '{written(query)}') + 0"
        f" LIMIT {LIMIT}"
    )
    return set(connection.exec_driver_sql(statement).scalars())


def written(vector: Floats) -> str:
    """Return a vector as pgvector reads it."""
    return f"[{','.join(map(repr, vector.tolist()))}]"
