"""The HNSW indexes on PostgreSQL: when one is wanted, and how it is built.

To build one takes a few minutes for a million vectors where its graph fits into memory, and ten
times as long where it does not: PostgreSQL gives 64 MB to it, unless it is told otherwise, which
the graph of 30,000 vectors of 384 numbers fills.
"""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from timber.common.errors import DatabaseUnavailableError
from timber.common.vector.base import OnProgress
from timber.common.vector.pgvector_sql import LONGEST_INDEXED, indexed_type
from timber.common.vector.tables import EMBEDDINGS

WORTH_IT_FROM: Final = 20_000
"""So many vectors are compared one by one in some milliseconds."""

_LOOKED_AT_EVERY_SECONDS: Final = 0.5
_NO_ROOM: Final = "53"
"""How the SQLSTATE begins of what fails for want of memory, or of shared memory."""


def hnsw_name(dimension: int) -> str:
    """Return the name of the index of all vectors of a dimension."""
    return f"ix_{EMBEDDINGS}_hnsw_{dimension}"


def lacks_hnsw(connection: Connection, dimension: int, count: int) -> bool:
    """Tell whether so many vectors of a dimension should have an HNSW index, and have none."""
    if count < WORTH_IT_FROM or dimension > LONGEST_INDEXED:
        return False
    return not connection.scalar(_IS_VALID, {"name": hnsw_name(dimension)})


def ensure_hnsw(
    engine: Engine,
    dimension: int,
    *,
    from_count: int = WORTH_IT_FROM,
    on_progress: OnProgress | None = None,
) -> bool:
    """Build the HNSW index of a dimension if there are so many vectors; tell whether it was built.

    Writers are not kept waiting. What an earlier attempt has left half-built is built anew.
    `on_progress` is told the name, how many pages of the table were read, and of how many.

    Raises:
        DatabaseError: the database refused it.

    """
    if dimension > LONGEST_INDEXED:
        return False
    name = hnsw_name(dimension)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        counted = {"dimension": dimension, "most": from_count}
        is_there = connection.scalar(_IS_VALID, {"name": name})
        if is_there or (connection.scalar(_COUNT_UP_TO, counted) or 0) < from_count:
            return False
        driver: Any = connection.connection.driver_connection
        # It takes as long as it takes; the settings go with the connection.
        connection.detach()
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(_WITH_ROOM)
        with ThreadPoolExecutor(1) as pool:
            building = pool.submit(_build, connection, name, dimension)
            try:
                _watch(engine, driver.info.backend_pid, building, name, on_progress)
            except BaseException:  # Ctrl-C, too: the server would go on to the end
                driver.cancel_safe()
                raise
        connection.execute(text(f"ANALYZE {EMBEDDINGS}"))
    return True


def _watch(
    engine: Engine,
    process: int,
    building: "Future[None]",
    name: str,
    on_progress: OnProgress | None,
) -> None:
    """Tell how far a process of the server is, until it is done."""
    while not wait([building], timeout=_LOOKED_AT_EVERY_SECONDS).done:
        if on_progress is None:
            continue
        with engine.connect() as looking:
            row = looking.execute(_PROGRESS, {"process": process}).first()
        if row is not None and row.of:
            on_progress(name, row.done, row.of)
    building.result()


def _build(connection: Connection, name: str, dimension: int) -> None:
    try:
        _build_once(connection, name, dimension)
    except DatabaseUnavailableError as error:
        if not error.code.startswith(_NO_ROOM):
            raise
        # Several processes share what a container often has little of; one needs none of it.
        connection.execute(text("SET max_parallel_maintenance_workers = 0"))
        _build_once(connection, name, dimension)


def _build_once(connection: Connection, name: str, dimension: int) -> None:
    kind = indexed_type(dimension)
    if connection.scalar(_IS_VALID, {"name": name}) is False:
        connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
    connection.execute(
        text(
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {EMBEDDINGS} USING hnsw"
            f" (CAST(embedding AS {kind}) {kind.partition('(')[0]}_ip_ops)"
            f" WHERE vector_dims(embedding) = {dimension}"
        )
    )


_IS_VALID: Final = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
_COUNT_UP_TO: Final = text(
    f"SELECT count(*) FROM (SELECT 1 FROM {EMBEDDINGS}"
    " WHERE vector_dims(embedding) = :dimension LIMIT :most) AS counted"
)
_WITH_ROOM: Final = text(
    # A graph takes half as much again as its vectors. The size of the caches is what whoever
    # runs the database says of its memory; of that a fourth at the most.
    "SELECT set_config('maintenance_work_mem', greatest("
    "pg_size_bytes(current_setting('maintenance_work_mem')),"
    f" least(pg_table_size('{EMBEDDINGS}') * 8 / 5,"
    " pg_size_bytes(current_setting('effective_cache_size')) / 4)) / 1024 || 'kB', false)"
)
_PROGRESS: Final = text(
    "SELECT blocks_done AS done, blocks_total AS of FROM pg_stat_progress_create_index"
    " WHERE pid = :process"
)
