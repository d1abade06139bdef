"""The vectors on PostgreSQL: exact search, in memory or there, or HNSW where that is safe.

The vectors of an owner of very many are kept in memory, where there is room: to compare them
there takes less than to walk along an index, and what is found are the nearest.

An HNSW index walks to the nearest of all, and a filter then leaves few of these or none. Given
the choice, the planner takes it all the same. So it is given none: wherever a filter is, or the
scope is a small part of the index, the order is by an expression that no index has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, TextClause, text
from typing_extensions import override

from timber.common.errors import DatabaseError, InvalidRequestError
from timber.common.vector.base import NOT_AHEAD, Ahead, Hit, PreparedSearch, Scope, VectorIndex
from timber.common.vector.hnsw import WORTH_IT_FROM, hnsw_name
from timber.common.vector.partitions_postgresql import NAME_BYTES
from timber.common.vector.pgvector_sql import comparing, walking
from timber.common.vector.scopes import meeting
from timber.common.vector.steps import Steps
from timber.common.vector.tables import EMBEDDINGS

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors
    from timber.common.vector.memory_index import MemoryIndex

SMALLEST_SHARE: Final = 0.1
"""Of what an index holds, a scope must be so much for the walk to find enough of it."""

IN_MEMORY_FROM: Final = 5_000
"""Fewer vectors are compared in the database in as little time as it takes to ask what is new."""
IN_MEMORY_UP_TO: Final = 300_000
"""To compare more takes longer than to walk along the index."""
_BYTES: Final = 5
"""What a number of a vector takes in memory, in its two forms."""

_EF_SEARCH: Final = 100
_LARGEST_EF_SEARCH: Final = 1_000
_REMEMBERED: Final = 10_000
_OTHER_LENGTH: Final = "22000"
"""The code of pgvector's error when it cannot compare vectors; nothing else here ends with it."""


class PgvectorIndex(VectorIndex):
    """Finds by pgvector, or in the memory that it is given.

    Which way a scope is searched is looked up for some searches at once, for that takes longer
    than a search of few vectors.
    """

    def __init__(
        self,
        *,
        exact_up_to: int = WORTH_IT_FROM,
        memory: "MemoryIndex | None" = None,
        in_memory_from: int = IN_MEMORY_FROM,
    ) -> None:
        self._exact_up_to = exact_up_to
        self._memory = memory
        self._in_memory_from = in_memory_from
        self._known: dict[tuple[str, str | None, int], _Decision] = {}

    @override
    def nearest(
        self, connection: Connection, vector: "Vectors", *, scope: Scope, limit: int
    ) -> list[Hit]:
        """Return the nearest by cosine, as the port says.

        Raises:
            InvalidRequestError: the limit or a filter cannot be used, or the vector is longer or
                shorter than those of the source.
            DatabaseError: the database cannot be read.

        """
        if limit < 1:
            raise InvalidRequestError(f"limit must be 1 at least, not {limit!r}")
        if not scope.filters:
            found = self._proposed(connection, vector, scope, limit)
            if found is not None:
                return found
        try:
            return _exact(connection, vector, scope, limit)
        except DatabaseError as error:
            if error.code != _OTHER_LENGTH:
                raise
            raise InvalidRequestError(
                f"a vector of {len(vector)} numbers cannot be compared with those of "
                f"{scope.source_type!r}, which have more or less: search with the embedder "
                f"that made them, or run `timber vectors reembed {scope.source_type}`"
            ) from error

    @override
    def ahead(self, vector: "Vectors", *, scope: Scope, limit: int) -> Ahead:
        if self._memory is None or scope.filters or limit < 1:
            return NOT_AHEAD
        return self._memory.ahead(vector, scope=scope, limit=limit)

    @override
    def prepared(
        self,
        connection: Connection,
        vector: "Vectors",
        *,
        scope: Scope,
        limit: int,
        ahead: Ahead = NOT_AHEAD,
    ) -> Steps[PreparedSearch]:
        otherwise = yield from super().prepared(connection, vector, scope=scope, limit=limit)
        if self._memory is None or scope.filters or limit < 1:
            return otherwise
        decided = self._decided(connection, scope, len(vector))
        if not decided.is_in_memory:
            return otherwise
        search = yield from self._memory.prepared(
            connection, vector, scope=scope, limit=limit, nbytes=decided.nbytes, ahead=ahead
        )
        return otherwise if search is None else search

    @override
    def close(self) -> None:
        """Forget what is in memory."""
        if self._memory is not None:
            self._memory.close()

    def _proposed(
        self, connection: Connection, vector: "Vectors", scope: Scope, limit: int
    ) -> list[Hit] | None:
        """Return what is found in memory or by the index; None if that is not what is wanted."""
        decided = self._decided(connection, scope, len(vector))
        if self._memory is not None and decided.is_in_memory:
            found = self._memory.nearest(
                connection, vector, scope=scope, limit=limit, nbytes=decided.nbytes
            )
            if found is not None:
                return found
        if decided.is_walked:
            found = _walk(connection, vector, scope, limit)
            # The walk ends early when it meets too much that is out of scope.
            if len(found) == limit:
                return found
        return None

    def _decided(self, connection: Connection, scope: Scope, dimension: int) -> "_Decision":
        key = (scope.source_type, scope.owner, dimension)
        known = self._known.get(key)
        if known is None or not known.left:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[key] = self._decision(connection, scope, dimension)
        known.left -= 1
        return known

    def _decision(self, connection: Connection, scope: Scope, dimension: int) -> "_Decision":
        count = _estimate(connection, scope)
        held = connection.scalar(_HELD, {"name": hnsw_name(dimension)}) or 0
        has_size = self._in_memory_from <= count <= IN_MEMORY_UP_TO
        return _Decision(
            is_in_memory=scope.owner is not None and has_size,
            is_walked=held >= self._exact_up_to
            and count >= max(self._exact_up_to, SMALLEST_SHARE * held),
            nbytes=int(count * (_BYTES * dimension + NAME_BYTES)),
        )


@dataclass
class _Decision:
    is_in_memory: bool
    is_walked: bool
    """Where it is not in memory."""
    nbytes: int
    """What its vectors would take there."""
    left: int = 100
    """For how many searches it holds."""


_HELD: Final = text(
    "SELECT reltuples FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid"
    " WHERE pg_class.oid = to_regclass(:name) AND indisvalid"
)


_ESTIMATE: Final = "EXPLAIN (FORMAT JSON) SELECT 1 FROM vector_chunks WHERE source_type = :source"


def _estimate(connection: Connection, scope: Scope) -> float:
    """Return how many pieces the planner takes to be in a scope, without a look at any."""
    given = {"source": scope.source_type}
    statement = _ESTIMATE
    if scope.owner is not None:
        given["owner"] = scope.owner
        statement += " AND owner = :owner"
    plan: Any = connection.scalar(text(statement), given)
    return float(plan[0]["Plan"]["Plan Rows"])


def _exact(connection: Connection, vector: "Vectors", scope: Scope, limit: int) -> list[Hit]:
    is_owners = scope.owner is not None
    given = _given(vector, scope, limit)
    if not scope.filters:
        return _hits(connection, comparing(of_owner=is_owners), given)
    condition = meeting(scope.filters, dialect="postgresql", table=EMBEDDINGS)
    statement = comparing(of_owner=is_owners, condition=condition.sql)
    return _hits(connection, statement, {**given, **condition.parameters})


def _walk(connection: Connection, vector: "Vectors", scope: Scope, limit: int) -> list[Hit]:
    breadth = min(max(_EF_SEARCH, 2 * limit), _LARGEST_EF_SEARCH)
    connection.execute(_BROADLY, {"breadth": str(breadth)})
    statement = walking(of_owner=scope.owner is not None, dimension=len(vector))
    return _hits(connection, statement, _given(vector, scope, limit))


def _given(vector: "Vectors", scope: Scope, limit: int) -> dict[str, Any]:
    given = {"vector": _written(vector), "source": scope.source_type, "limit": limit}
    return given if scope.owner is None else {**given, "owner": scope.owner}


def _hits(connection: Connection, statement: TextClause, given: Mapping[str, Any]) -> list[Hit]:
    found = connection.execute(statement, given).all()
    return [Hit(chunk_id, -distance) for chunk_id, distance in found]


_BROADLY: Final = text(
    "SELECT set_config('hnsw.ef_search', :breadth, true),"
    " set_config('hnsw.iterative_scan', 'strict_order', true)"
)


def _written(vector: "Vectors") -> str:
    return str(vector.tolist())
