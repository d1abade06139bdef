"""Finds the nearest vectors of an owner of very many on PostgreSQL: in memory, all compared."""

from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy import Connection

from timber.common.vector.base import Begun, Hit, Scope
from timber.common.vector.exact_index import fitting
from timber.common.vector.exact_search import nearest
from timber.common.vector.partitions import Span
from timber.common.vector.partitions_postgresql import PostgresqlPartitions
from timber.common.vector.postgresql_driver import fetched
from timber.common.vector.quantisation import Floats
from timber.common.vector.steps import Steps
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

    def close(self) -> None:
        """Forget what is in memory."""
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
        matrix = self._partitions.matrix(connection, span, nbytes=nbytes)
        for _ in range(_TRIES):
            if matrix is None:
                return None
            found = nearest(fitting(matrix, vector, span), vector, limit=limit)
            gone = self._gone(connection, span, found)
            if not gone:
                return found
            matrix = self._partitions.without(span, matrix, gone)
        self._partitions.forget(span)
        return None

    def prepared(
        self, connection: Connection, vector: Floats, *, scope: Scope, limit: int, nbytes: int
    ) -> Steps[Callable[[], Begun] | None]:
        """Prepare what `nearest` does, but for the look at what has gone. Raises the same."""
        span = Span(scope.source_type, scope.owner)
        matrix = yield from self._partitions.looked_up(connection, span, nbytes=nbytes)
        if matrix is None:
            return None

        def leave_out(gone: Collection[int]) -> None:
            self._partitions.without(span, matrix, gone)

        def begun() -> Begun:
            blocks = fitting(matrix, vector, span)
            return Begun(lambda: nearest(blocks, vector, limit=limit), leave_out)

        return begun

    def _gone(self, connection: Connection, span: Span, found: list[Hit]) -> set[int]:
        """Return which of the pieces have no vector there any more."""
        keys = [hit.chunk_id for hit in found]
        if not keys:
            return set()
        given = {"source": span.source_type, "owner": span.owner, "keys": keys}
        return set(keys).difference(key for (key,) in fetched(connection, _THERE, given))
