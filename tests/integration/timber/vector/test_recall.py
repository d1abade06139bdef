"""What is found in many vectors under filters, against comparing with every one of them."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine
from tests.contracts.vector_shelf import Floats

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.common.vector.base import Scope
from timber.common.vector.hnsw import ensure_hnsw, hnsw_name, lacks_hnsw
from timber.common.vector.pgvector_index import PgvectorIndex
from timber.common.vector.store import written_vectors
from timber.testing.postgresql import PostgresqlServer

COUNT: Final = 8_000
DIMENSION: Final = 32
SOURCE: Final = "notes"
OWNERS: Final = {"all": 1, "tenth": 10, "hundredth": 100, "thousandth": 1000}
"""Of how many vectors one has the mark."""


@pytest.fixture(scope="module")
def vectors() -> Floats:
    """Return vectors in clusters, as those of texts are: what a walk has the most trouble with."""
    chance = np.random.default_rng(7)
    centres = chance.normal(size=(40, DIMENSION))
    found = centres[chance.integers(40, size=COUNT)] + 0.35 * chance.normal(
        size=(COUNT, DIMENSION)
    )
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(scope="module")
def engine(postgresql_server: PostgresqlServer, vectors: Floats) -> Iterator[Engine]:
    with (
        postgresql_server.database() as url,
        Timber().opened(TimberSettings(database_url=url)) as timber,
    ):
        engine = timber.database.engine
        _fill(engine, vectors)
        assert ensure_hnsw(engine, DIMENSION, from_count=COUNT)
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
        yield engine


def _fill(engine: Engine, vectors: Floats) -> None:
    written = written_vectors(vectors, "postgresql")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO vector_sources (number, source_type, dimension, version)"
                " VALUES (1, 'notes', :dimension, 'v')"
            ),
            {"dimension": DIMENSION},
        )
        connection.execute(
            text(
                "INSERT INTO vector_partitions (partition_id, source_type, owner, version)"
                " VALUES (1, 'notes', 'most', 'v'), (2, 'notes', 'few', 'v')"
            )
        )
        # The second owner has one of a hundred.
        connection.execute(
            text(
                "INSERT INTO vector_chunks (chunk_id, partition_id, source_type, source_id,"
                " ordinal, owner, content, attributes, created_at)"
                " SELECT n, 1 + CAST(n % 100 = 0 AS int), 'notes', n, 0,"
                " CASE WHEN n % 100 = 0 THEN 'few' ELSE 'most' END, 'x',"
                " jsonb_build_object('tenth', n % 10, 'hundredth', n % 100,"
                " 'thousandth', n % 1000), now() FROM generate_series(0, :last) AS n"
            ),
            {"last": COUNT - 1},
        )
        connection.execute(
            text(
                "INSERT INTO vector_embeddings (chunk_id, partition_id, embedding)"
                " VALUES (:n, 1 + CAST(:n % 100 = 0 AS int), CAST(:vector AS vector))"
            ),
            [{"n": number, "vector": vector} for number, vector in enumerate(written)],
        )


def nearest(vectors: Floats, query: Floats, allowed: Any, limit: int) -> set[int]:
    scores = vectors[allowed] @ query
    return set(np.asarray(allowed)[np.argsort(-scores, kind="stable")[:limit]].tolist())


def recall(
    engine: Engine, vectors: Floats, scope: Scope, allowed: Any, limit: int, walk: bool = True
) -> float:
    """Return which share of the nearest is found, when a walk is taken wherever it may be."""
    index = PgvectorIndex(exact_up_to=500 if walk else 10**9)
    chance = np.random.default_rng(11)
    shares = []
    for place in chance.integers(COUNT, size=20):
        query = vectors[place]
        with engine.begin() as connection:
            hits = index.nearest(connection, query, scope=scope, limit=limit)
        assert len(hits) == min(limit, len(allowed))
        wanted = nearest(vectors, query, allowed, limit)
        shares.append(len(wanted & {hit.chunk_id for hit in hits}) / len(wanted))
    return float(np.mean(shares))


@pytest.mark.parametrize("mark", ["thousandth", "hundredth", "tenth"])
def test_under_a_filter_all_of_the_nearest_are_found(
    engine: Engine, vectors: Floats, mark: str
) -> None:
    allowed = np.arange(3, COUNT, OWNERS[mark])
    scope = Scope(SOURCE, filters={mark: 3})

    assert recall(engine, vectors, scope, allowed, limit=10) == 1.0


def test_of_an_owner_who_has_little_all_of_the_nearest_are_found(
    engine: Engine, vectors: Floats
) -> None:
    few = recall(engine, vectors, Scope(SOURCE, owner="few"), np.arange(0, COUNT, 100), limit=10)

    assert few == 1.0


def test_without_a_filter_the_walk_finds_nearly_all_and_as_many_as_were_asked_for(
    engine: Engine, vectors: Floats
) -> None:
    everything = np.arange(COUNT)

    assert recall(engine, vectors, Scope(SOURCE), everything, limit=10) >= 0.95
    assert recall(engine, vectors, Scope(SOURCE), everything, limit=300) >= 0.95
    assert recall(engine, vectors, Scope(SOURCE), everything, limit=10, walk=False) == 1.0


def test_the_walk_is_taken_along_the_index_where_it_is_meant_to_be(engine: Engine) -> None:
    """Else the recall above would be that of exact search."""
    used = text("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = :name")
    query = np.full(DIMENSION, DIMENSION**-0.5, dtype=np.float32)
    counts = []
    for scope in (Scope(SOURCE), Scope(SOURCE, owner="few"), Scope(SOURCE, filters={"tenth": 3})):
        with engine.begin() as connection:
            PgvectorIndex(exact_up_to=500).nearest(connection, query, scope=scope, limit=10)
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_stat_force_next_flush()"))
        with engine.begin() as connection:
            counts.append(connection.scalar(used, {"name": hnsw_name(DIMENSION)}))

    first, *others = counts
    assert first >= 1
    assert others == [first, first]


def test_an_index_that_is_there_is_not_built_again(engine: Engine) -> None:
    assert not ensure_hnsw(engine, DIMENSION, from_count=1)


def test_no_index_is_built_for_few_vectors_or_for_those_that_are_too_long(engine: Engine) -> None:
    assert not ensure_hnsw(engine, 64, from_count=1)
    assert not ensure_hnsw(engine, 4_001, from_count=0)


def test_an_index_is_missed_where_there_are_many_vectors_that_can_have_one(engine: Engine) -> None:
    with engine.connect() as connection:
        missed = [
            lacks_hnsw(connection, dimension, count)
            for dimension, count in (
                (DIMENSION, 20_000),
                (64, 20_000),
                (64, 19_999),
                (4_001, 10**9),
            )
        ]

    assert missed == [False, True, False, False]
