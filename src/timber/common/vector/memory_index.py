"""Finds the nearest vectors of an owner of very many on PostgreSQL: in memory, all compared."""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from sqlalchemy import Connection
from typing_extensions import override

from timber.common.vector.ahead import AskingBeside, screened_by
from timber.common.vector.base import NOT_AHEAD, Ahead, Hit, PlainSearch, PreparedSearch, Scope
from timber.common.vector.beside import Beside
from timber.common.vector.exact_index import fitting
from timber.common.vector.exact_search import nearest
from timber.common.vector.partitions import Span
from timber.common.vector.partitions_postgresql import Held, PostgresqlPartitions
from timber.common.vector.quantisation import Floats
from timber.common.vector.steps import Asked, Steps, taken
from timber.common.vector.tables import EMBEDDINGS

_TRIES: Final = 4
"""So often what has gone is left out, one by one; then all is read again."""

_THERE: Final = (
    f"SELECT chunk_id FROM {EMBEDDINGS} WHERE chunk_id = ANY(CAST(%(keys)s AS bigint[]))"
    " AND partition_id = (SELECT partition_id FROM vector_partitions"
    " WHERE source_type = %(source)s AND owner = %(owner)s)"
)
"""Which of some pieces still have a vector in a partition."""


class MemoryIndex:
    """Compares with every vector of an owner, where these are, or may be, in memory."""

    def __init__(self, *, partitions: PostgresqlPartitions) -> None:
        self._partitions = partitions
        self._beside = Beside()

    def close(self) -> None:
        """Forget what is in memory."""
        self._beside.close()
        self._partitions.clear()

    def nearest(
        self, connection: Connection, vector: Floats, *, scope: Scope, limit: int, nbytes: int
    ) -> list[Hit] | None:
        """Return the nearest of an owner's; None where the database is to be searched itself.

        The vectors take about `nbytes`. No filter is looked at.

        Raises:
            InvalidRequestError: the vector is longer or shorter than those of the source.
            DatabaseError: the database cannot be read.

        """
        span = Span(scope.source_type, scope.owner)
        held = self._partitions.held(connection, span, nbytes=nbytes)
        for _ in range(_TRIES):
            if held is None:
                return None
            found = nearest(fitting(held.matrix, vector, span), vector, limit=limit)
            gone = taken(connection, _gone(span, found))
            if not gone:
                return found
            held = self._partitions.without(span, held, gone)
        self._partitions.forget(span)
        return None

    def ahead(self, vector: Floats, *, scope: Scope, limit: int) -> Ahead:
        """Return what can be done ahead of what `prepared` does."""
        matrix = self._partitions.known(Span(scope.source_type, scope.owner))
        if matrix is None:
            return NOT_AHEAD
        return AskingBeside(matrix, vector, limit=limit, beside=self._beside)

    def prepared(
        self,
        connection: Connection,
        vector: Floats,
        *,
        scope: Scope,
        limit: int,
        nbytes: int,
        ahead: Ahead = NOT_AHEAD,
    ) -> Steps[PreparedSearch | None]:
        """Prepare what `nearest` does; None, and what is raised, as there."""
        span = Span(scope.source_type, scope.owner)
        held = yield from self._partitions.looked_up(connection, span, nbytes=nbytes)
        if held is None:
            return None

        def search() -> list[Hit]:
            blocks = fitting(held.matrix, vector, span)
            return nearest(blocks, vector, limit=limit, screened=screened_by(ahead))

        return _InMemory(search, held, span, self._partitions)


class _InMemory(PlainSearch):
    def __init__(
        self,
        search: Callable[[], list[Hit]],
        held: Held,
        span: Span,
        partitions: PostgresqlPartitions,
    ) -> None:
        super().__init__(search)
        self.source_ids = held.source_ids
        self._held = held
        self._span = span
        self._partitions = partitions

    @override
    def gone(self, hits: Sequence[Hit]) -> Steps[Collection[int]]:
        gone = yield from _gone(self._span, hits)
        if gone:
            self._held = self._partitions.without(self._span, self._held, gone)
        return gone


def _gone(span: Span, hits: Sequence[Hit]) -> Steps[set[int]]:
    """Find which of the pieces have no vector there any more."""
    keys = [hit.chunk_id for hit in hits]
    if not keys:
        return set()
    rows = yield Asked(_THERE, {"source": span.source_type, "owner": span.owner, "keys": keys})
    return set(keys).difference(key for (key,) in rows)
