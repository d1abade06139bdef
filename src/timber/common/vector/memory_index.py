"""Finds the nearest vectors of an owner of very many on PostgreSQL: in memory, all compared."""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from sqlalchemy import Connection
from typing_extensions import override

from timber.common.vector.base import Answer, Hit, PreparedSearch, Scope
from timber.common.vector.beside import Beside
from timber.common.vector.exact_index import fitting
from timber.common.vector.exact_search import nearest, shared
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

    def prepared(
        self, connection: Connection, vector: Floats, *, scope: Scope, limit: int, nbytes: int
    ) -> Steps[PreparedSearch | None]:
        """Prepare what `nearest` does; None, and what is raised, as there."""
        span = Span(scope.source_type, scope.owner)
        held = yield from self._partitions.looked_up(connection, span, nbytes=nbytes)
        if held is None:
            return None
        return _InMemory(held, vector, span, limit, self._partitions, self._beside)


class _InMemory(PreparedSearch):
    """Compares while the server looks for something else.

    Another thread asks, and compares, too, when it was answered: so there are never more than two
    at work. One that asks and goes on to compare is in the server's way: Linux takes it to be
    about to sleep, and lets the server work on its core.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - made at one place
        self,
        held: Held,
        vector: Floats,
        span: Span,
        limit: int,
        partitions: PostgresqlPartitions,
        beside: Beside,
    ) -> None:
        self.source_ids = held.source_ids
        self._held = held
        self._vector = vector
        self._span = span
        self._limit = limit
        self._partitions = partitions
        self._thread = beside

    @override
    def beside(self, ask: Callable[[], Answer]) -> tuple[list[Hit], Answer]:
        blocks = fitting(self._held.matrix, self._vector, self._span)
        search = shared(blocks, self._vector, limit=self._limit)
        if search is None:
            return nearest(blocks, self._vector, limit=self._limit), ask()
        answers: list[Answer] = []

        def asking() -> None:
            answers.append(ask())
            search.work()

        ended = self._thread.begin(asking)
        try:
            search.work()
        finally:
            is_answered = ended()
        if not is_answered:
            asking()
        return search.nearest(), answers[0]

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
