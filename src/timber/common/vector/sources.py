"""What there is of each source, for people who look after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, select

from timber.common.documents import closest
from timber.common.errors import InvalidRequestError
from timber.common.vector.hnsw import lacks_hnsw
from timber.common.vector.rows import RowSource
from timber.common.vector.store import Store
from timber.common.vector.tables import next_embeddings


@dataclass(frozen=True, kw_only=True)
class SourceStatus:
    """How a source does."""

    source_type: str
    model: str | None
    """The model whose rows it has; None: documents that were handed in."""
    embedder: str | None
    """What its vectors were made by; None: nobody said."""
    dimension: int | None
    next_embedder: str | None
    """What takes over when all of its vectors are there."""
    chunks: int
    waiting_rows: int
    """How many rows were written and not read since."""
    waiting_chunks: int
    """How many pieces are found by their words only, so far."""
    reembedded_chunks: int
    """How many have a vector of the embedder that takes over."""
    lacks_index: bool
    """Whether `timber vectors index` would make searches of it faster (on PostgreSQL)."""
    problems: tuple[str, ...]
    """What kinds of errors keep some of it waiting."""


def read_status(
    connection: Connection, store: Store, rows: Mapping[str, RowSource]
) -> list[SourceStatus]:
    """Return how every source does, by name."""
    known = {one.source_type: one for one in connection.execute(select(store.sources))}
    chunks = _counts(connection, store.chunks)
    outbox, pending = _counts(connection, store.outbox), _counts(connection, store.pending)
    problems = _problems(connection, store.outbox, store.pending)
    reembedded = _reembedded(connection, store.chunks) if _is_reembedding(known) else {}
    names = sorted({*known, *chunks, *outbox, *rows})
    return [
        SourceStatus(
            source_type=name,
            model=rows[name].model.__name__ if name in rows else None,
            embedder=known[name].model_id if name in known else None,
            dimension=known[name].dimension if name in known else None,
            next_embedder=known[name].next_model_id if name in known else None,
            chunks=chunks.get(name, 0),
            waiting_rows=outbox.get(name, 0),
            waiting_chunks=pending.get(name, 0),
            reembedded_chunks=reembedded.get(name, 0),
            lacks_index=_lacks_index(connection, known.get(name), chunks.get(name, 0)),
            problems=tuple(sorted(problems.get(name, ()))),
        )
        for name in names
    ]


def _lacks_index(connection: Connection, source: Any, count: int) -> bool:
    if connection.dialect.name != "postgresql" or source is None or source.dimension is None:
        return False
    return lacks_hnsw(connection, source.dimension, count)


def _is_reembedding(known: Mapping[str, Any]) -> bool:
    return any(one.next_dimension is not None for one in known.values())


def _counts(connection: Connection, table: Table) -> dict[str, int]:
    statement = select(table.c.source_type, func.count()).group_by(table.c.source_type)
    return {name: count for name, count in connection.execute(statement)}  # noqa: C416 - rows are no pairs to mypy


def _problems(connection: Connection, *tables: Table) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table in tables:
        statement = select(table.c.source_type, table.c.problem).distinct()
        for name, problem in connection.execute(statement.where(table.c.problem.is_not(None))):
            found.setdefault(name, set()).add(problem)
    return found


def _reembedded(connection: Connection, chunks: Table) -> dict[str, int]:
    statement = (
        select(chunks.c.source_type, func.count())
        .join_from(chunks, next_embeddings, chunks.c.chunk_id == next_embeddings.c.chunk_id)
        .group_by(chunks.c.source_type)
    )
    return {name: count for name, count in connection.execute(statement)}  # noqa: C416 - as above


def named_sources(sources: Mapping[str, RowSource], source_type: str | None) -> list[RowSource]:
    """Return the source of that name; all of them when none is given.

    Raises:
        InvalidRequestError: no model has that name in searches.

    """
    if source_type is None:
        return list(sources.values())
    if source_type not in sources:
        listed = ", ".join(sorted(sources)) or "none"
        raise InvalidRequestError(
            f"no model has rows called {source_type!r} in searches; there are: {listed}"
            f"{closest(source_type, sources)}"
        )
    return [sources[source_type]]
