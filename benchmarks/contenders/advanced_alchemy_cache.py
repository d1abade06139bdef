"""Advanced Alchemy's repository with its cache, as its documentation advises."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from advanced_alchemy.cache import CacheConfig, CacheManager
from benchmarks.contenders import readings
from benchmarks.contenders.advanced_alchemy_rows import Reading, Readings
from benchmarks.contenders.engines import engine_with_tables
from benchmarks.contenders.redis_server import redis_in
from benchmarks.harness.stage import Stage, Trial
from redis import Redis
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session


@contextlib.contextmanager
def read_one_by_one(stage: Stage) -> Iterator[Trial]:
    """Read rows that lie in its cache in memory, each in a session of its own."""
    cache = CacheManager(CacheConfig(backend="dogpile.cache.memory"))
    yield from _cached(stage, cache)


@contextlib.contextmanager
def read_through_redis(stage: Stage) -> Iterator[Trial]:
    """Read rows that lie in its cache in Redis, each in a session of its own."""
    with redis_in(stage.folder) as socket, Redis(unix_socket_path=str(socket)) as redis:
        arguments = {"connection_pool": redis.connection_pool}
        cache = CacheManager(CacheConfig(backend="dogpile.cache.redis", arguments=arguments))
        yield from _cached(stage, cache)


def _cached(stage: Stage, cache: Any) -> Iterator[Trial]:
    rows = readings.rows(stage.size)
    found = 0
    with engine_with_tables(stage.database_url, Reading.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(insert(Reading), rows)

        def work() -> None:
            nonlocal found
            found = _read(engine, cache, rows)

        work()
        with engine.begin() as connection:
            connection.execute(Reading.__table__.delete())  # what is read now, is the cache's
        yield Trial(work=work, check=lambda: {"found": found})


def _read(engine: Engine, cache: Any, rows: Sequence[dict[str, Any]]) -> int:
    found = 0
    for row in rows:
        with Session(engine) as session:
            repository = Readings(session=session, cache_manager=cache, auto_expunge=True)
            found += repository.get(row["id"]) is not None
    return found
