"""An HNSW index is built with room for its graph, tells how far it is, and can be stopped."""

import _thread
import threading
import time
from collections.abc import Iterator
from typing import Any, Final, Self

import numpy as np
import psycopg
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import Engine

from timber.common.errors import DatabaseError
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.common.vector import hnsw
from timber.common.vector.hnsw import ensure_hnsw, hnsw_name
from timber.testing.postgresql import PostgresqlServer

DIMENSION: Final = 16
COUNT: Final = 4_000
INDEX: Final = hnsw_name(DIMENSION)


@pytest.fixture(scope="module")
def filled(postgresql_server: PostgresqlServer) -> Iterator[Engine]:
    vectors = np.random.default_rng(1).normal(size=(COUNT, DIMENSION)).round(3).tolist()
    with (
        postgresql_server.database() as url,
        Timber().opened(TimberSettings(database_url=url, create_tables=True)) as timber,
    ):
        with timber.database.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO vector_partitions (partition_id, source_type, owner, version)"
                    " VALUES (1, 'notes', 'ada', 'v')"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO vector_chunks (chunk_id, partition_id, source_type, source_id,"
                    " ordinal, owner, content, attributes, created_at)"
                    " SELECT n, 1, 'notes', n, 0, 'ada', 'note', '{}', now()"
                    " FROM generate_series(1, :count) AS n"
                ),
                {"count": COUNT},
            )
            connection.execute(
                text(
                    "INSERT INTO vector_embeddings (chunk_id, partition_id, embedding)"
                    " VALUES (:number, 1, CAST(:vector AS vector))"
                ),
                [{"number": at, "vector": str(one)} for at, one in enumerate(vectors, 1)],
            )
        yield timber.database.engine


@pytest.fixture
def engine(filled: Engine) -> Iterator[Engine]:
    """Give a database with vectors, without an index, and as PostgreSQL is set by itself."""
    yield filled
    with filled.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP INDEX IF EXISTS {INDEX}"))
        connection.execute(text(f"ALTER DATABASE {filled.url.database} RESET ALL"))
    filled.dispose()


class Watch:
    """Notes how the server is set whenever an index is built, and fails where it is told to."""

    def __init__(self, engine: Engine, *failures: Exception) -> None:
        self.settings: list[dict[str, str]] = []
        self._failures = list(failures)
        self._engine = engine

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("CREATE INDEX CONCURRENTLY"):
            return
        names = ("maintenance_work_mem", "max_parallel_maintenance_workers")
        asked = cursor.connection
        self.settings.append({name: asked.execute(f"SHOW {name}").fetchone()[0] for name in names})
        if self._failures:
            raise self._failures.pop(0)


def is_valid(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.scalar(hnsw._IS_VALID, {"name": INDEX}))


def set_for_all(engine: Engine, name: str, value: str) -> None:
    """Set something for all connections to come."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"ALTER DATABASE {engine.url.database} SET {name} = '{value}'"))
    engine.dispose()


def table_bytes(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT pg_table_size('vector_embeddings')")) or 0)


def kilobytes(setting: str) -> int:
    number = int("".join(filter(str.isdigit, setting)))
    return number * {"kB": 1, "MB": 1024, "GB": 1024 * 1024}[setting.lstrip("0123456789")]


def test_it_gets_as_much_memory_as_its_graph_needs(engine: Engine) -> None:
    set_for_all(engine, "maintenance_work_mem", "64kB")

    with Watch(engine) as watch:
        assert ensure_hnsw(engine, DIMENSION, from_count=1)

    with engine.connect() as connection:
        needed = table_bytes(connection) * 8 // 5 // 1024
        assert connection.scalar(text("SHOW maintenance_work_mem")) == "64kB"
    assert kilobytes(watch.settings[0]["maintenance_work_mem"]) == needed > 64


def test_it_gets_a_fourth_of_what_the_database_has_at_the_most(engine: Engine) -> None:
    set_for_all(engine, "maintenance_work_mem", "64kB")
    set_for_all(engine, "effective_cache_size", "512kB")

    with Watch(engine) as watch:
        assert ensure_hnsw(engine, DIMENSION, from_count=1)

    assert watch.settings[0]["maintenance_work_mem"] == "128kB"


def test_what_the_administrator_allows_is_not_lowered(engine: Engine) -> None:
    set_for_all(engine, "maintenance_work_mem", "256MB")

    with Watch(engine) as watch:
        assert ensure_hnsw(engine, DIMENSION, from_count=1)

    assert watch.settings[0]["maintenance_work_mem"] == "256MB"


def test_without_shared_memory_one_process_builds_it(engine: Engine) -> None:
    full = psycopg.errors.DiskFull("could not resize shared memory segment")

    with Watch(engine, full) as watch:
        assert ensure_hnsw(engine, DIMENSION, from_count=1)

    workers = [one["max_parallel_maintenance_workers"] for one in watch.settings]
    assert workers[1:] == ["0"]
    assert workers[0] != "0"
    assert is_valid(engine)


def test_what_fails_otherwise_is_told_at_once(engine: Engine) -> None:
    forbidden = psycopg.errors.InsufficientPrivilege("not yours")

    with Watch(engine, forbidden) as watch, pytest.raises(DatabaseError, match="42501"):
        ensure_hnsw(engine, DIMENSION, from_count=1)

    assert len(watch.settings) == 1


def test_it_tells_how_far_it_is(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hnsw, "_LOOKED_AT_EVERY_SECONDS", 0.001)
    told: list[tuple[str, int, int]] = []

    assert ensure_hnsw(
        engine, DIMENSION, from_count=1, on_progress=lambda *progress: told.append(progress)
    )

    assert told
    assert all(name == INDEX and 0 <= done <= of for name, done, of in told)


# All databases of a server are in these views.
BUILDING: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND state = 'active' AND query LIKE 'CREATE INDEX CONCURRENTLY%'"
)


def stop_once_it_is_built(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as looking:
        while not looking.scalar(BUILDING):
            time.sleep(0.02)
    _thread.interrupt_main()


def test_whoever_stops_it_stops_the_server_and_it_is_built_another_time(engine: Engine) -> None:
    with engine.connect() as writing:
        # It waits for those who write: so it cannot be over before it is stopped.
        writing.execute(text("UPDATE vector_embeddings SET partition_id = 1 WHERE chunk_id = 1"))
        threading.Thread(target=stop_once_it_is_built, args=(engine,), daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            ensure_hnsw(engine, DIMENSION, from_count=1)
        assert writing.scalar(BUILDING) == 0
        writing.rollback()

    assert not is_valid(engine)
    assert ensure_hnsw(engine, DIMENSION, from_count=1)
    assert is_valid(engine)
